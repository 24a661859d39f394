"""What the container's healthcheck runs: asks this container's own /health, prints the answer, and
exits 0 when it was 200.
"""

import sys
from http.client import HTTPConnection


def main() -> int:
    connection = HTTPConnection("127.0.0.1", 8000, timeout=4)
    try:
        connection.request("GET", "/health")
        response = connection.getresponse()
        print(response.status, response.read().decode())
    except OSError as error:
        print(error)
        return 1
    return 0 if response.status == 200 else 1


if __name__ == "__main__":
    sys.exit(main())
