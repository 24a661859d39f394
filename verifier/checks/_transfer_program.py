"""The program that sends files of random bytes, asks for them back, and deletes what it sent, from
where the check stands. It prints what became of each file, as one JSON object; it decides nothing.
"""

# The work is done by a child in a session of its own: when the look is given up, which kills the parent, the child
# still deletes what it has sent.
PROGRAM = """
import hashlib, http.client, json, os, secrets, socket, ssl, sys, threading, time, urllib.parse

want = json.loads(sys.argv[1])
child = os.fork()
if child:
    code = os.waitpid(child, 0)[1]
    os._exit(1 if code else 0)
os.setsid()

CHUNK = 256 * 1024
BOUNDARY = "verifier" + secrets.token_hex(16)
GONE = (404, 410)
headers = {"User-Agent": "verifier", "Accept": "*/*", "Connection": "close"}
headers.update(want["headers"])
vantage = []
if want["headers_file"]:
    try:
        with open(want["headers_file"]) as lines:
            pairs = [line.partition(":") for line in lines if line.strip()]
            headers.update((name.strip(), value.strip()) for name, _, value in pairs)
    except OSError as error:
        sys.exit("%s: %s" % (want["headers_file"], error.strerror))
context = ssl.create_default_context()
context.verify_flags &= ~ssl.VERIFY_X509_STRICT  # newer than many a company's own authority

class Failed(Exception):
    pass

def filled(template, file):
    made = template.replace("{name}", file["name"])
    return made.replace("{id}", urllib.parse.quote(file["id"], safe=""))

def send(link, method, url, parts, more):
    target = urllib.parse.urlunsplit(("", "", url.path or "/", url.query, ""))
    link.putrequest(method, target)
    for name, value in dict(headers, **more).items():
        link.putheader(name, value)
    if parts:
        link.putheader("Content-Length", str(sum(map(len, parts))))
    link.endheaders()
    for part in parts:
        for at in range(0, len(part), CHUNK):
            link.send(part[at:at + CHUNK])

def ask(method, address, seconds, parts=(), more={}, take=None, whole=True, begins=None):
    url = urllib.parse.urlsplit(address)
    ends = time.monotonic() + seconds
    https = url.scheme == "https"
    port = url.port or (443 if https else 80)
    link = None
    step = "no connection"
    try:
        wire = socket.create_connection((url.hostname, port), seconds)
        link = http.client.HTTPConnection(url.hostname, port)
        link.sock = wire
        if https:
            wire = link.sock = context.wrap_socket(wire, server_hostname=url.hostname)
        step = "not taken"
        if begins:
            begins()
        refused = None
        try:
            send(Timed(link, wire, ends), method, url, parts, more)
        except (BrokenPipeError, ConnectionResetError) as error:
            refused = error  # who refuses early may have said why
        step = "no answer"
        wire.settimeout(max(ends - time.monotonic(), 0.001))
        try:
            answer = link.getresponse()
        except (OSError, http.client.HTTPException):
            raise refused or sys.exc_info()[1]
        step = "cut short"
        while whole and not answer.isclosed():
            wire.settimeout(max(ends - time.monotonic(), 0.001))
            piece = answer.read(CHUNK)
            if take:
                take(piece)
        if whole and answer.length:
            raise http.client.IncompleteRead(b"", answer.length)
        return answer.status
    except socket.gaierror as error:
        vantage.append("%s cannot be resolved: %s" % (url.hostname, error))
        raise Failed(str(error))
    except (TimeoutError, socket.timeout):
        raise Failed("%s within %g s" % (step, seconds))
    except (OSError, http.client.HTTPException) as error:
        raise Failed("%s (%s)" % (step, error or type(error).__name__))
    finally:
        if link:
            link.close()

class Timed:
    # A link whose sends all end at one moment.
    def __init__(self, link, wire, ends):
        self.link, self.wire, self.ends = link, wire, ends
        self.putrequest, self.putheader = link.putrequest, link.putheader
        self.endheaders = link.endheaders

    def send(self, piece):
        left = self.ends - time.monotonic()
        if left <= 0:
            raise socket.timeout("timed out")
        self.wire.settimeout(left)
        self.link.send(piece)

def form(file):
    if not want["field"]:
        return [file["bytes"]], {"Content-Type": "application/octet-stream"}
    head = ""
    for name, value in want["form"].items():
        head += '--%s\\r\\nContent-Disposition: form-data; name="%s"\\r\\n\\r\\n%s\\r\\n' % (BOUNDARY, name, value)
    head += '--%s\\r\\nContent-Disposition: form-data; name="%s"; filename="%s"\\r\\n' % (
        BOUNDARY, want["field"], file["name"])
    head += "Content-Type: application/octet-stream\\r\\n\\r\\n"
    tail = "\\r\\n--%s--\\r\\n" % BOUNDARY
    return [head.encode(), file["bytes"], tail.encode()], {
        "Content-Type": "multipart/form-data; boundary=" + BOUNDARY}

def at_path(document, path):
    for part in path.split("."):
        document = document[int(part)] if isinstance(document, list) else document[part]
    if isinstance(document, (dict, list, bool)) or document is None:
        raise ValueError(path)
    return str(document)

def upload(file):
    parts, more = form(file)
    said = bytearray()
    def begins():
        file["sent"] = True  # from here on it may be stored, whatever is answered
    file["upload_status"] = ask(want["upload_method"], filled(want["upload_url"], file), want["max_time_s"],
                                parts, more, said.extend, begins=begins)
    if file["upload_status"] in range(200, 300):
        file["stored"] = True
        if want["id_at"]:
            try:
                file["id"] = at_path(json.loads(said), want["id_at"])
            except (LookupError, TypeError, ValueError):
                raise Failed("no id at '%s' in: %s" % (want["id_at"], said[:120].decode("utf-8", "replace")))
    else:
        raise Failed("status %d: %s" % (file["upload_status"], said[:120].decode("utf-8", "replace")))

def download(file):
    digest, size = hashlib.sha256(), [0]
    def take(piece):
        digest.update(piece)
        size[0] += len(piece)
    try:
        file["download_status"] = ask("GET", filled(want["download_url"], file), want["max_time_s"], take=take)
    finally:
        file["returned"] = size[0]
    file["same"] = digest.digest() == file["digest"]

def known(file):
    return bool(file["id"]) or (not want["id_at"] and file["sent"])

def entry(document, name):
    # Any object of the list that has our name as one of its values.
    nested = document.values() if isinstance(document, dict) else document if isinstance(document, list) else ()
    if isinstance(document, dict) and name in [v for v in document.values() if isinstance(v, str)]:
        return document
    return next(filter(None, (entry(one, name) for one in nested)), None)

def find(file):
    # Sent, but nobody told us an id: only the list can say whether it is there.
    said = bytearray()
    status = ask("GET", want["list_url"], want["clean_s"], take=said.extend)
    if status != 200:
        raise Failed("the list answers %d" % status)
    try:
        found = entry(json.loads(said), file["name"])
        file["searched"] = True
        if found:
            file["stored"], file["id"] = True, at_path(found, want["id_at"])
    except (LookupError, TypeError, ValueError):
        raise Failed("the list is not understood")

def clean(file):
    if file["sent"] and not known(file) and want["list_url"]:
        find(file)
    if not known(file):
        return
    for _ in range(2):
        try:
            file["delete_status"] = ask(want["delete_method"], filled(want["delete_url"], file), want["clean_s"])
            break
        except Failed as error:
            file["clean_trouble"] = str(error)
    file["after_status"] = ask("GET", filled(want["download_url"], file), want["clean_s"], whole=False)
    file["gone"] = file["after_status"] in GONE

def guarded(step, trouble, timed, file):
    began = time.monotonic()
    try:
        step(file)
    except Failed as error:
        file[trouble] = str(error)
    except (TypeError, ValueError, MemoryError) as error:
        vantage.append("%s: %s" % (type(error).__name__, error))
    if timed:
        file[timed] = round(time.monotonic() - began, 4)

def together(step, trouble, timed, files):
    began = time.monotonic()
    threads = [threading.Thread(target=guarded, args=(step, trouble, timed, file)) for file in files]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return round(time.monotonic() - began, 4)

def new_file():
    data = os.urandom(want["bytes"])
    return {"name": "verifier-transfer-%s.bin" % secrets.token_hex(8), "id": "", "bytes": data,
            "digest": hashlib.sha256(data).digest(), "sent": False, "stored": False, "searched": False,
            "upload_status": 0, "upload_s": 0, "upload_trouble": "", "download_status": 0, "download_s": 0,
            "download_trouble": "", "returned": 0, "same": False, "delete_status": 0, "after_status": 0,
            "gone": False, "clean_trouble": ""}

files = [new_file() for _ in range(want["files"])]
upload_s = download_s = 0
try:
    upload_s = together(upload, "upload_trouble", "upload_s", files)
    there = [file for file in files if file["stored"] and known(file)]
    download_s = together(download, "download_trouble", "download_s", there)
finally:
    together(clean, "clean_trouble", "", files)
told = [{k: v for k, v in file.items() if k not in ("bytes", "digest")} for file in files]
print(json.dumps({"vantage": "; ".join(sorted(set(vantage))), "upload_s": upload_s, "download_s": download_s,
                  "files": told}))
"""
