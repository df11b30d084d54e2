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
        code = await asyncio.wait_for(process.wait(), 10)
    assert code == 0 and (await process.stderr.read()) == b""
    assert list(tmp_path.iterdir()) == []
