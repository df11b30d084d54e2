"""A drill for people with their own tools: `serve` prints where it is and leaves nothing behind."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from pathlib import Path

import aiohttp
import pytest

SCRIPT = "import asyncio; from console.drill.session import serve; asyncio.run(serve('spark-oom', speed=50))"


@pytest.mark.parametrize("sign", [signal.SIGINT, signal.SIGTERM])
async def test_serve_prints_its_addresses_and_cleans_up(sign: signal.Signals, tmp_path: Path) -> None:
    env = {**os.environ, "TMPDIR": str(tmp_path)}
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", SCRIPT, env=env, stdout=pipe, stderr=pipe)
    assert process.stdout and process.stderr
    try:
        lines = [(await asyncio.wait_for(process.stdout.readline(), 20)).decode().strip() for _ in range(3)]
        values = dict(line.removeprefix("export ").split("=", 1) for line in lines)
        config = Path(values["KUBECONFIG"])
        assert config.is_relative_to(tmp_path) and "current-context: drill-eu-west-1" in config.read_text()
        async with aiohttp.ClientSession() as http:
            async with http.get(f"{values['PROMETHEUS_URL']}/-/ready") as response:
                assert response.status == 200
            async with http.get(f"{values['ALERTMANAGER_URL']}/api/v2/alerts") as response:
                assert any(a["labels"]["alertname"] == "SparkExecutorOOMKilled" for a in await response.json())
    finally:
        process.send_signal(sign)
        code = await asyncio.wait_for(process.wait(), 60)
    assert code == 0 and (await process.stderr.read()) == b""
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(("sign", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
async def test_a_served_drill_that_is_ended_leaves_as_other_commands_do(
    sign: signal.Signals, code: int, tmp_path: Path
) -> None:
    places = {name: str(tmp_path) for name in ("TMPDIR", "XDG_STATE_HOME", "XDG_CONFIG_HOME", "XDG_CACHE_HOME")}
    pipe, argv = asyncio.subprocess.PIPE, ("-m", "console", "drill", "spark-oom", "--serve")
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *argv,
        env={**os.environ, **places},
        stdout=pipe,
        stderr=pipe,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler) and None,
    )
    assert process.stdout and process.stderr
    said = b""
    while b"runs until Ctrl-C" not in said and (part := await asyncio.wait_for(process.stderr.readline(), 60)):
        said += part
    process.send_signal(sign)
    assert await asyncio.wait_for(process.wait(), 60) == code
    assert b"Traceback" not in await process.stderr.read()
    assert not list(tmp_path.glob("**/kubeconfig*")), "nothing is left behind"
