# ---- How: curl sends, python3 judges. Nothing below is about this one failure. --------------------

nothing() { # why nothing can be said
    printf '%s\n' "$1" "Nothing can be said." >&2
    exit 2
}

replay() {
    "$python" -I -c 'import sys; sys.path.insert(0, sys.argv[1])
from siliconflow_batch_conformance.repro.replay import main
sys.exit(main(*sys.argv[1:]))' "$work" "$@"
}

fresh() { # the next request is sent with the key, without a body
    given='= Bearer {key}'
    type=''
    : >"$work/body"
}

authorization() { given="= $1"; }

no_authorization() { given='-'; }

body() { # content type, the body in the escapes of printf
    type=$1
    shift
    printf '%b' "$@" >"$work/body"
}

packed_body() { # content type, the body compressed, in base64
    type=$1
    shift
    printf '%s' "$@" | replay unpack || nothing "The body of the next request cannot be unpacked."
}

fetch() { # step
    : >"$work/$1.body"
    curl -q --silent --show-error --globoff --path-as-is --proto '=http,https' \
        --connect-timeout 30 --max-time 600 --suppress-connect-headers \
        --config "$work/$1.curl" --dump-header "$work/$1.head" --output "$work/$1.body" || {
        ended=$?
        [ "$ended" -eq 18 ] || # an answer that breaks off is one
            nothing "Step $1: no answer; curl ended with status $ended."
    }
}

prepare() { # step, sender, method, target, the word "was", the recorded status; 1: left out
    prepared=0
    replay prepare "$1" "$given" "$type" "$2" "$3" "$4" "$6" "${8-}" || prepared=$?
    fresh
    case $prepared in
    0) return 0 ;;
    4) return 1 ;;
    *) nothing "Step $1 cannot be sent." ;;
    esac
}

send() {
    prepare "$@" || return 0
    fetch "$1"
    replay arrive "$1" || nothing "Step $1 came to nothing."
}

await() { # as send, the word "until", a status
    prepare "$@" || return 0
    tried=0
    while :; do
        fetch "$1"
        there=0
        replay reached "$1" "$8" "$tried" || there=$?
        [ "$there" -eq 0 ] && break
        [ "$there" -eq 3 ] || nothing "Step $1 came to nothing."
        tried=$((tried + 1))
        [ "$tried" -lt "$tries" ] && continue
        [ "$8" = an-end ] && break
        nothing "Step $1: the batch is not $8 after $tries tries."
    done
    replay arrive "$1" || nothing "Step $1 came to nothing."
}

learn() { # step, where the answer says it, what it said in the recorded run
    printf '%s\n' "$@" >>"$work/learned"
}

probe() { # sender
    replay prepare 0 "$given" '' "$1" GET '/batches?limit=1' 200 || nothing "A key is missing."
    fetch 0
    replay probe 0 || nothing "Another service, or another key?"
}

judge() { # module, check, its arguments in JSON, what it raised in the recorded run
    printf '%s' "$3" >"$work/given"
    replay judge "$1" "$2" "${4-}"
    verdict=$?
}

compare() { # step, the recorded answer
    printf '%s' "$2" >"$work/given"
    replay compare "$1"
    verdict=$?
}

python=${PYTHON:-python3}
tries=${SILICONFLOW_TRIES:-200}
SILICONFLOW_BASE_URL=${1:-${SILICONFLOW_BASE_URL:-$recorded_at}}
SILICONFLOW_BASE_URL=${SILICONFLOW_BASE_URL%/}
export SILICONFLOW_BASE_URL EXPECTED
verdict=2

command -v curl >/dev/null || nothing "curl is needed."
"$python" -c 'import sys; sys.exit(sys.version_info < (3, 10))' 2>/dev/null ||
    nothing "Python 3.10 or newer is needed; name one in PYTHON."
umask 077
work=$(mktemp -d) || nothing "There is no place for temporary files."
trap 'rm -rf "$work"' EXIT
: >"$work/learned"
trap 'exit 2' HUP INT TERM
