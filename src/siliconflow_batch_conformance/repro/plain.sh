# ---- How: curl sends the requests, sed reads and replaces ids. -------------------------------------

inconclusive() { # the reason
    printf '%s\n' "$1" "The result is inconclusive." >&2
    exit 2
}

renamed() { # replaces recorded ids in the input by those of this run
    LC_ALL=C sed -f "$work/ids"
}

new_request() { # by default with the key and without a body
    credentials='Bearer {key}'
    type=''
    : >"$work/body"
}

authorization() { credentials=$1; }

no_authorization() { credentials=''; }

body() { # content type, the body as printf %b arguments
    type=$1
    shift
    printf '%b' "$@" >"$work/body"
}

fetch() { # step
    curl -q --silent --show-error --globoff --path-as-is --max-time 600 \
        --config "$work/curl" --output "$work/$1.body" --write-out '%{http_code}' ||
        inconclusive "Step $1 got no response."
}

await() { # step, a status: repeats the request until the batch has it, or has ended
    tries=0
    until grep -q -E "\"status\" *: *\"($2|completed|failed|expired|cancelled)\"" "$work/$1.body"; do
        [ "$status" = 200 ] || return 0 # an error says enough
        [ "$tries" -lt "${SILICONFLOW_TRIES:-200}" ] ||
            inconclusive "Step $1: the batch is not $2 after $tries attempts."
        tries=$((tries + 1))
        sleep 0.5 2>/dev/null || sleep 1
        status=$(fetch "$1") || exit 2
    done
}

request() { # step, sender, method, target, "was", the recorded status; maybe "until" and a status
    case $2 in
    own) key=${SILICONFLOW_API_KEY:?is the key of an account} ;;
    *) key=${SILICONFLOW_API_KEY_2:?is the key of a second account} ;;
    esac
    target=$(printf '%s' "$4" | renamed)
    renamed <"$work/body" >"$work/sent"
    if printf '%s\n' "$4" | cat - "$work/body" | grep -q -F -f "$work/lost"; then
        printf '%s\n' "$1. $3 $target: skipped; this run issued no such id"
        new_request
        return
    fi
    case $credentials in
    *'{key}'*) sent="${credentials%%'{key}'*}$key${credentials#*'{key}'}" ;;
    *) sent=$credentials ;;
    esac
    {
        printf '%s = "%s"\n' url "$SILICONFLOW_BASE_URL$target" request "$3" \
            header Expect: header "Content-Type: $type"
        [ -z "$credentials" ] || printf 'header = "Authorization: %s"\n' "$sent"
        [ "$3" = GET ] || printf 'data-binary = "@%s"\n' "$work/sent"
    } >"$work/curl"
    status=$(fetch "$1") || exit 2
    [ "$#" -lt 8 ] || await "$1" "$8"
    printf '%s\n' "$1. $3 $target: $status"
    printf '%s' "$status" >"$work/$1.status"
    case $status in
    "$6") ;;
    408 | 429 | 5??) inconclusive "The service is busy or broken." ;;
    esac
    new_request
}

learn() { # step, place of an id in its response, the recorded id
    new=$(sed -n 's/.*"id" *: *"\([A-Za-z0-9_-]*\)".*/\1/p' "$work/$1.body" 2>/dev/null | head -n 1)
    if [ -n "$new" ]; then
        printf '%s\n' "s/$3/$new/g" >>"$work/ids"
    else
        printf '%s\n' "$3" >>"$work/lost"
    fi
}

judge() { # step, the right statuses
    [ -f "$work/$1.status" ] || inconclusive "Step $1 was not sent."
    status=$(cat "$work/$1.status")
    shift
    for right; do
        [ "$status" != "$right" ] || {
            printf '\nThe requirement holds here: %s.\n' "$status"
            exit 0
        }
    done
    printf '\nThe requirement does not hold here.\n  expected:  %s\n  actual:    %s\n' "$*" "$status"
    exit 1
}

SILICONFLOW_BASE_URL=${1:-${SILICONFLOW_BASE_URL:-$recorded_at}}
SILICONFLOW_BASE_URL=${SILICONFLOW_BASE_URL%/}
command -v curl >/dev/null || inconclusive "curl is required."
umask 077
work=$(mktemp -d) || inconclusive "Cannot create a temporary folder."
trap 'rm -rf "$work"' EXIT
trap 'exit 2' HUP INT TERM
: >"$work/ids"
: >"$work/lost"

new_request
request 0 own GET '/batches?limit=1' was 200
[ "$status" = 200 ] || inconclusive "Check the base URL and the key."
steps
judgment
