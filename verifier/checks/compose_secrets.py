"""No secret is written into compose files or images, and the environment file is neither in an
image nor in git.

    - id: compose-secrets
      check: compose_secrets
      with:
        stack: "{{ compose_stack }}"
        images: [app]

Red for a literal value under a key that sounds like a secret in any of the stack's files, for a
default such as `${DB_PASSWORD:-literal}`, for a secret of the environment file that occurs in a
compose file or in the history, environment, labels or command of any service's image, for a literal
secret in an image's own environment, and for an environment file inside the image of a service in
`images`, in any of its layers (the image is listed through `docker save`, which takes some
seconds). If the stack lies in a git work tree, git must not track the environment file. Secrets are
the values under keys that sound like one, and under `keys`; they are compared in memory. What
matches one of the regular expressions in `forbidden` (the shape of a provider's keys, say) is red in
all these places, too. An environment file without a secret is no answer.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace

from verifier.checks._compose import Stack, merged_config
from verifier.checks._dotenv import read_env
from verifier.checks._image import image_config, image_name
from verifier.checks._pattern import refuse_bad_patterns
from verifier.checks._secret import is_secret, shapes
from verifier.checks.base import Check, Host, Mismatch, ask
from verifier.document import parse_yaml
from verifier.errors import CannotObserve, DocumentError

# Names that speak about a secret without being one: DB_PASSWORD_FILE, TOKEN_TTL_S.
_ABOUT_A_SECRET = re.compile(
    r"_(file|path|dir|ttl\w*|expir\w*|length|min|max|size|host|port|user|name|url|enabled|header)$",
    re.IGNORECASE,
)
_DEFAULT = re.compile(r"\$\{([A-Za-z_]\w*)(?::?-|:?\+)([^}]+)\}")
_ENV_FILE = r"/\.env(\.[^/]+)?$"
_TEMPLATE = re.compile(r"(example|sample|template|dist)$|/(node_modules|(site|dist)-packages)/")
_LIST_FILES = """
import re, subprocess, sys, tarfile
wanted = re.compile(sys.argv[2])
save = subprocess.Popen(["docker", "save", sys.argv[1]], stdout=subprocess.PIPE)
files = 0
with tarfile.open(fileobj=save.stdout, mode="r|") as image:
    for blob in image:
        if not blob.isfile():
            continue
        try:
            with tarfile.open(fileobj=image.extractfile(blob), mode="r|*") as layer:
                for entry in layer:
                    files += 1
                    if entry.isfile() and wanted.search("/" + entry.name):
                        print("/" + entry.name)
        except tarfile.ReadError:
            continue
print("files", files)
sys.exit(save.wait())
"""
_FIND_GIT = 'd=%s; while [ "$d" != / ]; do [ -e "$d/.git" ] && echo "$d"; d=$(dirname "$d"); done'


@dataclass(frozen=True)
class Params:
    stack: Stack
    keys: tuple[str, ...] = ()
    images: tuple[str, ...] = ()
    forbidden: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        refuse_bad_patterns("forbidden", self.forbidden)


@dataclass(frozen=True)
class Seen:
    """Places, never values: in `found` each what and how; `searched` are the keys whose values were
    looked for.
    """

    searched: tuple[str, ...]
    found: tuple[tuple[str, str], ...]
    env_files: tuple[tuple[str, str], ...]
    tracked_in: str


@dataclass(frozen=True)
class _Sought:
    secrets: Mapping[str, str] = field(repr=False)
    forbidden: tuple[str, ...]

    def found_in(self, text: str) -> Iterator[str]:
        """What occurs in the text, in words that do not show it."""
        for key, value in self.secrets.items():
            if any(form in text for form in shapes(value)):
                yield f"the value of {key}"
        for pattern in self.forbidden:
            if re.search(pattern, text):
                yield f"a match of /{pattern}/"


def observe(host: Host, want: Params) -> Seen:
    stack = want.stack
    values = read_env(host, f"{stack.directory}/{stack.env_file}").values
    secrets = {k: v for k, v in values.items() if v and (k in want.keys or is_secret(k))}
    if not secrets:
        raise CannotObserve(f"{stack.env_file} has no secret to look for")
    services = merged_config(host, stack)["services"]
    images = {name: image_name(stack.project, name, body) for name, body in services.items()}
    sought = _Sought(secrets, want.forbidden)
    found = [place for file in stack.files for place in _in_file(host, stack, file, sought)]
    for image in sorted(set(images.values())):
        found += _in_image(host, image, sought)
    if unknown := [name for name in want.images if name not in images]:
        raise CannotObserve(f"no service '{unknown[0]}' (there are: {', '.join(images)})")
    env_files = [(images[n], path) for n in want.images for path in _env_files(host, images[n])]
    return Seen(tuple(secrets), tuple(found), tuple(env_files), _tracked_in(host, stack))


def judge(want: Params, seen: Seen) -> list[Mismatch]:
    found = [Mismatch(place, "no secret in it", what) for place, what in seen.found]
    found += [
        Mismatch(f"image {image}", "no environment file in it", path)
        for image, path in seen.env_files
    ]
    if seen.tracked_in:
        found.append(Mismatch(want.stack.env_file, "not in git", f"tracked in {seen.tracked_in}"))
    return found


def _impossible(want: Params) -> Params:
    return replace(want, forbidden=(".",))  # only nothing at all does not match


CHECK = Check(Params, observe, judge, impossible=_impossible)


def _in_file(host: Host, stack: Stack, file: str, sought: _Sought) -> Iterator[tuple[str, str]]:
    text = ask(host, "cat -- %s", f"{stack.directory}/{file}")
    try:
        content = parse_yaml(text, where=file)
    except DocumentError as error:
        raise CannotObserve(str(error)) from error
    for place in _literals(content):
        yield f"{file}: {place}", "a literal value"
    for name, default in _DEFAULT.findall(text):
        if _holds_a_secret(name) and default.strip():
            yield f"{file}: ${{{name}}}", "a default value"
    for what in sought.found_in(text):
        yield file, what


def _literals(node: object, place: str = "") -> Iterator[str]:
    """The places of scalars that stand, in clear, under a name that sounds like a secret."""
    if isinstance(node, dict):
        for name, value in node.items():
            inside = f"{place}.{name}".lstrip(".")
            is_scalar = isinstance(value, (str, int, float)) and not isinstance(value, bool)
            if is_scalar and _holds_a_secret(str(name)) and _is_literal(str(value)):
                yield inside
            yield from _literals(value, inside)
    elif isinstance(node, list):
        for index, value in enumerate(node):
            yield from _literals(value, f"{place}[{index}]")
    elif isinstance(node, str):
        name, equals, value = node.partition("=")
        if (
            equals
            and re.fullmatch(r"[-\w]+", name)
            and _holds_a_secret(name)
            and _is_literal(value)
        ):
            yield f"{place} ({name})"


def _holds_a_secret(name: str) -> bool:
    return is_secret(name) and not _ABOUT_A_SECRET.search(name)


def _is_literal(value: str) -> bool:
    return bool(value.strip()) and "$" not in value.replace("$$", "")


def _in_image(host: Host, image: str, sought: _Sought) -> Iterator[tuple[str, str]]:
    config = image_config(host, image)
    for pair in config.get("Env") or ():
        name, _, value = str(pair).partition("=")
        if _holds_a_secret(name) and value:
            yield f"environment of image {image}", f"a value for {name}"
    for what in sought.found_in(json.dumps(config, ensure_ascii=False)):
        yield f"configuration of image {image}", what
    history = ask(host, "docker history --no-trunc --format %s %s", "{{.CreatedBy}}", image)
    if not history.strip():
        raise CannotObserve(f"image {image} has no history")
    for what in sought.found_in(history):
        yield f"history of image {image}", what


def _env_files(host: Host, image: str) -> list[str]:
    lines = ask(host, "python3 -c %s %s %s", _LIST_FILES, image, _ENV_FILE).splitlines()
    counted = re.fullmatch(r"files (\d+)", lines[-1] if lines else "")
    if not counted or counted[1] == "0":
        raise CannotObserve(f"the files of image {image} cannot be listed")
    return sorted({path for path in lines[:-1] if not _TEMPLATE.search(path)})


def _tracked_in(host: Host, stack: Stack) -> str:
    trees = ask(host, _FIND_GIT, stack.directory).splitlines()
    if not trees:
        return ""
    words = "git -C %s ls-files --error-unmatch -- %s"
    answer = host.run(words, stack.directory, stack.env_file)
    if answer.rc not in (0, 1):
        raise CannotObserve(f"git in {trees[0]}: {answer.stderr.strip()[:200]}")
    return trees[0] if answer.rc == 0 else ""
