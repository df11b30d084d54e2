import java.io.BufferedInputStream;
import java.io.DataInputStream;
import java.io.IOException;
import java.lang.reflect.Field;
import java.lang.reflect.Method;
import java.nio.file.*;
import java.util.*;
import java.util.jar.*;
import java.util.regex.*;

/**
 * Prints what the Spark on the classpath says about its configuration, one tab-separated line each:
 * entries with their types, deprecated and removed keys, alternatives, and every literal that looks like a key.
 *
 * Usage: java -cp 'JARS/*' Dump.java JARS
 */
public class Dump {
    static final Pattern LITERAL = Pattern.compile("spark\\.[a-z][A-Za-z0-9]*(\\.[A-Za-z0-9_\\-]+)*\\.?");

    public static void main(String[] args) throws Exception {
        Set<String> literals = new TreeSet<>();
        try (DirectoryStream<Path> jars = Files.newDirectoryStream(Path.of(args[0]), "spark-*.jar")) {
            for (Path jar : jars) load(jar, literals);
        }
        Object module = module("org.apache.spark.internal.config.ConfigEntry$");
        Map<?, ?> known = (Map<?, ?>) call(module, "knownConfigs");
        for (Object key : new TreeSet<Object>(known.keySet())) entry((String) key, known.get(key));
        deprecated();
        for (String literal : literals) line("literal", literal);
    }

    static void load(Path jar, Set<String> literals) throws Exception {
        try (JarFile file = new JarFile(jar.toFile())) {
            for (JarEntry entry : Collections.list(file.entries())) {
                if (!entry.getName().endsWith(".class")) continue;
                boolean configures = false;
                try (DataInputStream in = new DataInputStream(new BufferedInputStream(file.getInputStream(entry)))) {
                    for (String text : constants(in)) {
                        configures |= text.contains("ConfigBuilder");
                        if (LITERAL.matcher(text).matches()) literals.add(text);
                    }
                }
                String name = entry.getName().replace('/', '.').replaceAll("\\.class$", "");
                if (name.endsWith("$") && configures) {
                    try {
                        Class.forName(name);
                    } catch (Throwable unusable) {
                        System.err.println("not loaded: " + name + " (" + unusable + ")");
                    }
                }
            }
        }
    }

    /** The texts of a class file's constant pool. */
    static List<String> constants(DataInputStream in) throws IOException {
        List<String> out = new ArrayList<>();
        in.readLong();
        int count = in.readUnsignedShort();
        for (int i = 1; i < count; i++) {
            int tag = in.readUnsignedByte();
            switch (tag) {
                case 1 -> out.add(in.readUTF());
                case 5, 6 -> {
                    in.readLong();
                    i++;
                }
                case 7, 8, 16, 19, 20 -> in.readUnsignedShort();
                case 15 -> in.skipNBytes(3);
                default -> in.readInt();
            }
        }
        return out;
    }

    static void entry(String key, Object entry) throws Exception {
        Object convert = call(entry, "valueConverter");
        List<String> type = type(convert);
        line("entry", key, type.get(0), type.get(1), string(call(entry, "version")), list(call(entry, "alternatives")),
            string(call(entry, "defaultValueString")), string(call(entry, "isPublic")));
    }

    /** (type, unit of a bare number or what the refusal of a word says). */
    static List<String> type(Object convert) {
        if (takes(convert, "zzword") || takes(convert, "/zz/word/")) return List.of("string", "");
        if (takes(convert, "true") && takes(convert, "false")) return List.of("bool", "");
        boolean time = false;
        for (String text : List.of("5h", "7min", "30s")) time |= takes(convert, text);
        for (String[] size : new String[][] {{"64g", "36"}, {"1g", "30"}, {"16m", "24"}, {"64k", "16"}}) {
            if (!time && value(convert, size[0]) instanceof Number found) {
                long b = 1L << Integer.parseInt(size[1]), n = found.longValue();
                return List.of("bytes", n == b ? "b" : n == b >> 10 ? "k" : n == b >> 20 ? "m" : "?");
            }
        }
        for (String[] span : new String[][] {{"5h", "18000000"}, {"30s", "30000"}}) {
            if (value(convert, span[0]) instanceof Number found) {
                long ms = Long.parseLong(span[1]), n = found.longValue();
                return List.of("time", n == ms ? "ms" : n == ms / 1000 ? "s" : n == ms / 60000 ? "min" : "?");
            }
        }
        boolean whole = false, part = false;
        for (String number : List.of("0", "1", "2", "8", "16", "64", "100", "1000", "8192", "100000", "-1"))
            whole |= takes(convert, number);
        for (String number : List.of("0.01", "0.1", "0.5", "0.9", "1.5", "2.5", "10.5", "1000.5")) part |= takes(convert, number);
        if (part) return List.of("number", "");
        if (whole) return List.of("int", "");
        return List.of("enum", refusal(convert, "zzword").replaceAll("[\\t\\n]", " "));
    }

    static boolean takes(Object convert, String text) {
        return value(convert, text) != null;
    }

    static Object value(Object convert, String text) {
        try {
            return apply(convert, text);
        } catch (Throwable refused) {
            return null;
        }
    }

    static String refusal(Object convert, String text) {
        try {
            apply(convert, text);
            return "";
        } catch (Throwable refused) {
            Throwable cause = refused;
            while (cause.getCause() != null) cause = cause.getCause();
            return String.valueOf(cause.getMessage());
        }
    }

    static Object apply(Object function, Object argument) throws Exception {
        Method method = Class.forName("scala.Function1").getMethod("apply", Object.class);
        Object value = method.invoke(function, argument);
        return value.getClass().getName().equals("scala.Some") ? call(value, "get") : value;
    }

    static void deprecated() throws Exception {
        for (String where : List.of("org.apache.spark.SparkConf$", "org.apache.spark.sql.internal.SQLConf$")) {
            Object module = module(where);
            for (Field field : module.getClass().getDeclaredFields()) {
                String name = field.getName();
                String what = name.contains("deprecatedConfigs") ? "deprecated"
                    : name.contains("configsWithAlternatives") ? "alternatives" : "";
                if (what.isEmpty()) continue;
                field.setAccessible(true);
                map(what, field.get(module));
            }
            for (Method method : module.getClass().getDeclaredMethods()) {
                String what = method.getName().equals("deprecatedSQLConfigs") ? "deprecated"
                    : method.getName().equals("removedSQLConfigs") ? "removed" : "";
                if (!what.isEmpty() && method.getParameterCount() == 0) map(what, method.invoke(module));
            }
        }
    }

    static void map(String what, Object scala) throws Exception {
        Object pairs = call(scala, "iterator");
        while ((Boolean) call(pairs, "hasNext")) {
            Object pair = call(pairs, "next");
            String key = string(call(pair, "_1"));
            Object value = call(pair, "_2");
            if (what.equals("alternatives")) {
                Object each = call(value, "iterator");
                while ((Boolean) call(each, "hasNext")) {
                    Object one = call(each, "next");
                    line("alternative", string(call(one, "key")), key, string(call(one, "version")));
                }
            } else {
                String comment = string(call(value, what.equals("removed") || has(value, "comment") ? "comment" : "deprecationMessage"));
                line(what, key, string(call(value, "version")), comment.replaceAll("[\\t\\n]", " "));
            }
        }
    }

    static boolean has(Object target, String method) {
        return Arrays.stream(target.getClass().getMethods()).anyMatch(m -> m.getName().equals(method));
    }

    static Object module(String name) throws Exception {
        return Class.forName(name).getField("MODULE$").get(null);
    }

    static Object call(Object target, String name) throws Exception {
        for (Class<?> type = target.getClass(); type != null; type = type.getSuperclass()) {
            for (Method method : type.getDeclaredMethods()) {
                if (method.getName().equals(name) && method.getParameterCount() == 0) {
                    method.setAccessible(true);
                    return method.invoke(target);
                }
            }
        }
        return target.getClass().getMethod(name).invoke(target);
    }

    static String string(Object value) {
        return String.valueOf(value).replaceAll("[\\t\\n]", " ");
    }

    static String list(Object scala) throws Exception {
        StringJoiner out = new StringJoiner(",");
        Object each = call(scala, "iterator");
        while ((Boolean) call(each, "hasNext")) out.add(string(call(each, "next")));
        return out.toString();
    }

    static void line(String... parts) {
        System.out.println(String.join("\t", parts));
    }
}
