"""The two pages for people: the front page and the API documentation. The documentation is made
from the OpenAPI document here, on the server, so that it needs no script and no other site.
"""

from collections.abc import Iterator, Mapping
from html import escape

from app.release import Release

_PAGE = """<!doctype html>
<html lang="ko">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
{links}<style>body{{font:16px/1.6 sans-serif;max-width:48rem;margin:3rem auto;padding:0 1rem}}
code{{background:#eee;padding:.1em .3em}}dt{{margin-top:1rem}}</style>
</head>
<body>
{body}
</body>
</html>
"""


def front_page(release: Release) -> str:
    body = f"""<h1>FileWallBall</h1>
<p>파일을 올리고, 목록을 보고, 내려받는 작은 서비스입니다.</p>
<p lang="en">A small service to upload, list and download files.</p>
<ul>
<li><a href="/files">파일 목록 · Files</a></li>
<li><a href="/docs">API 문서 · Documentation</a></li>
<li><a href="/health">상태 · Health</a></li>
</ul>
<p><small>release {escape(release.release)}</small></p>"""
    return _PAGE.format(title="FileWallBall", links="", body=body)


def docs_page(openapi: Mapping[str, Mapping[str, Mapping[str, Mapping[str, str]]]]) -> str:
    operations = "\n".join(_operations(openapi["paths"]))
    body = f"""<h1>FileWallBall API</h1>
<p>기계가 읽는 문서 · For machines: <a href="/openapi.json">/openapi.json</a></p>
<dl>
{operations}
</dl>"""
    links = '<link rel="service-desc" type="application/json" href="/openapi.json">\n'
    return _PAGE.format(title="FileWallBall API - docs", links=links, body=body)


def _operations(paths: Mapping[str, Mapping[str, Mapping[str, str]]]) -> Iterator[str]:
    for path, methods in paths.items():
        for method, operation in methods.items():
            summary = escape(operation.get("summary", ""))
            yield f"<dt><code>{method.upper()} {escape(path)}</code></dt><dd>{summary}</dd>"
