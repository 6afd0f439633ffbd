"""Whether the service beside this process is ready: `python -m common.healthcheck`, for images without `curl`."""

import os
import sys
from http.client import HTTPConnection, HTTPException

ANSWER_SECONDS = 5


def problem(port: int) -> str | None:
    """Why the service is not ready, in words; None when it is."""
    asking = HTTPConnection("127.0.0.1", port, timeout=ANSWER_SECONDS)
    try:
        asking.request("GET", "/ready")
        answer = asking.getresponse()
        return None if answer.status == 200 else answer.read().decode(errors="replace")
    except (OSError, HTTPException) as error:
        return f"no answer at port {port}: {error}"
    finally:
        asking.close()


if __name__ == "__main__":
    sys.exit(problem(int(os.environ.get("LUMILIO_HEALTH_PORT", "0"))))
