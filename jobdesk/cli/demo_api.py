"""`python -m jobdesk.cli.demo_api HOME`: the HTTP API of a home, served and used for a moment; a job of the demo."""

import json
import sys
import urllib.request
from typing import Any


def main(home: str) -> None:
    """Serve on a free port, submit a job over HTTP, follow it to its end, and say what was asked and answered."""
    from jobdesk.desk import Desk
    from jobdesk.web import access
    from jobdesk.web.server import WebServer

    desk = Desk(home)
    token = access.token(desk.home, desk.config.http, read_only=False)
    server = WebServer(desk, "127.0.0.1", 0, token)
    server.start()
    try:
        ask = _Asking(server.url, token)
        print("status:", ask("GET", "/health")["status"])
        job = ask("POST", "/api/v1/jobs", {"type": "demo.greeting", "data": {"name": "HTTP"}})["data"]["jobId"]
        ask.follow(f"/api/v1/jobs/{job}/stream")
        print("result:", ask("GET", f"/api/v1/jobs/{job}")["data"]["result"])
    finally:
        server.stop()
        desk.close()


class _Asking:
    def __init__(self, url: str, token: str) -> None:
        self._url, self._headers = url, {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
        self._open = urllib.request.build_opener(urllib.request.ProxyHandler({})).open

    def __call__(self, method: str, path: str, body: Any = None) -> Any:
        print(f"{method} {path}")
        with self._open(self._request(method, path, body), timeout=30) as answer:
            return json.load(answer)

    def follow(self, path: str) -> None:
        print(f"GET {path}")
        with self._open(self._request("GET", path, None), timeout=60) as answer:
            for line in answer:
                if line.startswith(b"data: "):
                    said = json.loads(line[6:])
                    print(" ", said["type"], said.get("status", ""))

    def _request(self, method: str, path: str, body: Any) -> urllib.request.Request:
        data = None if body is None else json.dumps(body).encode()
        return urllib.request.Request(self._url + path, data, self._headers, method=method)


if __name__ == "__main__":
    main(sys.argv[1])
