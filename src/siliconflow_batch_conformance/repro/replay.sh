# The part of a script's machinery that the shell runs; the rest is replay.py.

inconclusive() { # the reason
    printf '%s\n' "$1" "The result is inconclusive." >&2
    exit 2
}

replay() {
    "$python" -I -c 'import sys; sys.path.insert(0, sys.argv[1])
from siliconflow_batch_conformance.repro.replay import main
sys.exit(main(*sys.argv[1:]))' "$work" "$@"
}

new_request() { # by default with the key and without a body
    credentials='= Bearer {key}'
    type=''
    : >"$work/body"
}

authorization() { credentials="= $1"; }

no_authorization() { credentials='-'; }

body() { # content type, the body as printf %b arguments
    type=$1
    shift
    printf '%b' "$@" >"$work/body"
}

packed_body() { # content type, the compressed body in base64
    type=$1
    shift
    printf '%s' "$@" | replay unpack || inconclusive "The body of the next request cannot be decompressed."
}

request() { # step, sender, method, target, "was", the recorded status; maybe "until" and a status
    result=0
    replay request "$1" "$credentials" "$type" "$2" "$3" "$4" "$6" "${8-}" || result=$?
    new_request
    [ "$result" -eq 0 ] || inconclusive "Step $1 failed."
}

learn() { # step, place of an id in its response, the recorded id
    printf '%s\n' "$@" >>"$work/learned"
}

probe() { # sender
    replay probe "$1" || inconclusive "Check the base URL and the key."
}

check() { # module, check, its arguments in JSON, the exception that it raised
    printf '%s' "$3" >"$work/recorded"
    replay check "$1" "$2" "${4-}"
    verdict=$?
}

compare() { # step, the recorded response
    printf '%s' "$2" >"$work/recorded"
    replay compare "$1"
    verdict=$?
}

SILICONFLOW_BASE_URL=${1:-${SILICONFLOW_BASE_URL:-$recorded_at}}
SILICONFLOW_BASE_URL=${SILICONFLOW_BASE_URL%/}
export SILICONFLOW_BASE_URL EXPECTED
verdict=2

command -v curl >/dev/null || inconclusive "curl is required."
: >"$work/learned"
