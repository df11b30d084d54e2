"""Options that many commands share, spelled as kubectl spells them, and what they mean together."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import click
from msgspec import Struct
from msgspec.structs import asdict

F = TypeVar("F", bound=Callable[..., Any])


class Where(Struct, frozen=True):
    """Which cluster, as whom, and which part of it.

    Attributes:
        namespaces: empty means the context's namespace; `all_namespaces` wins over it.
        prometheus: URL, or None for config and discovery.
        request_timeout: a duration (`10s`), or None for the default.
    """

    context: str | None = None
    kubeconfig: str | None = None
    namespaces: tuple[str, ...] = ()
    all_namespaces: bool = False
    as_user: str | None = None
    as_groups: tuple[str, ...] = ()
    request_timeout: str | None = None
    prometheus: str | None = None
    preset: str | None = None
    config: str | None = None

    def over(self, base: Where) -> Where:
        """These options, and those of `base` where nothing was said here."""
        merged = {k: v if v not in (None, (), False) else getattr(base, k) for k, v in asdict(self).items()}
        return Where(**merged)


_OPTIONS: list[Callable[[F], F]] = [
    click.option("--context", metavar="NAME", help="Context of the kubeconfig."),
    click.option("--kubeconfig", metavar="FILE", help="Kubeconfig file, instead of KUBECONFIG or ~/.kube/config."),
    click.option(
        "-n", "--namespace", "namespaces", metavar="NAME", multiple=True, help="Only this namespace; may be repeated."
    ),
    click.option("-A", "--all-namespaces", is_flag=True, help="All namespaces."),
    click.option("--as", "as_user", metavar="USER", help="Impersonate this user."),
    click.option("--as-group", "as_groups", metavar="GROUP", multiple=True, help="Impersonate this group."),
    click.option("--request-timeout", metavar="DURATION", help="Limit of one request, for example 10s."),
    click.option("--prometheus", metavar="URL", help="Prometheus, instead of the configured or discovered one."),
    click.option("--preset", metavar="NAME", help="Preset with the expected components and objectives."),
    click.option("--config", metavar="FILE", help="Config file, instead of the one in the config folder."),
]


def where_options(function: F) -> F:
    """Add the options of `Where`; the command receives them as one keyword, `where`."""

    def gather(*args: Any, **kwargs: Any) -> Any:
        mine = Where(**{field: kwargs.pop(field) for field in Where.__struct_fields__})
        context = click.get_current_context()
        base = context.find_object(Where) or Where()
        return function(*args, where=mine.over(base), **kwargs)

    gather.__name__, gather.__doc__ = function.__name__, function.__doc__
    wrapped: Any = gather
    wrapped.__click_params__ = list(getattr(function, "__click_params__", []))
    for option in reversed(_OPTIONS):
        wrapped = option(wrapped)
    return wrapped  # type: ignore[no-any-return]


def output_option(*extra: str) -> Callable[[F], F]:
    """`-o table|json` and the formats in `extra`; the command receives `output`."""
    return click.option(
        "-o",
        "--output",
        type=click.Choice(["table", "json", *extra]),
        default="table",
        show_default=True,
        help="Format of the answer on stdout.",
    )
