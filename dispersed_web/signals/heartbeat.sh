#!/bin/sh
# Tells Dispersed Web how busy this machine is, so that it is stopped neither while it works nor long after.
# Needs a POSIX shell and curl or wget; nvidia-smi where there is one. It reports numbers about use, and nothing of what
# runs here. Whatever goes wrong, it keeps quiet and never fails the job: no `set -e`, no output without -v.

usage() {
    cat <<'END'
heartbeat.sh [--background | --once | --keep MINUTES] [--url ADDRESS] [-v]

  (nothing)        report once a minute until the job ends
  --background     the same, detached from this terminal
  --once           report once and print the answer
  --keep MINUTES   ask that the machine is not stopped for idleness for so long from now
  --url ADDRESS    the heartbeat address; without it DW_HEARTBEAT_URL
  -v               say what goes wrong

DW_BUSY_FILE (/run/dw-busy)     while this file exists, the machine counts as in use
DW_PHASE_FILE (/run/dw-phase)   a word for what it does, shown on the job's page
DW_NOTE_FILE (/run/dw-note)     a sentence about it
DW_PRE_STOP (/etc/dw/pre-stop)  a program run once when the machine is about to be stopped
DW_PRE_STOP_LIMIT_S (120)       how long it may take
END
}

newline='
'
common_ifs=$IFS
user_agent='dispersed-web-heartbeat/1'
busy_file=${DW_BUSY_FILE:-/run/dw-busy}
phase_file=${DW_PHASE_FILE:-/run/dw-phase}
note_file=${DW_NOTE_FILE:-/run/dw-note}
hook=${DW_PRE_STOP:-/etc/dw/pre-stop}
hook_limit=${DW_PRE_STOP_LIMIT_S:-120}
request_limit=10
period=60

# Only for the tests of this script: how many milliseconds a second of waiting lasts, where the terminals and the lock
# are, and how long a request may take.
second_ms=${DW_TEST_SECOND_MS:-1000}
terminals=${DW_TEST_TERMINALS:-/dev/pts/[0-9]*}
lock_folders=${DW_TEST_LOCK_FOLDERS:-/tmp /run /dev/shm}
request_limit=${DW_TEST_REQUEST_LIMIT_S:-$request_limit}

say() { printf 'heartbeat: %s\n' "$1" >&2; }
explain() { [ -z "$verbose" ] || say "$1"; }
have() { command -v "$1" >/dev/null 2>&1; }

# A decimal number as JSON and arithmetic take it: no sign, no leading zero, not too long.
is_number() {
    case $1 in
    '' | *[!0-9]* | 0?* | ???????????????????*) return 1 ;;
    esac
}

# SECONDS. A signal ends it at once.
pause() {
    if [ "$second_ms" = 1000 ]; then
        sleep "$1" &
    else
        sleep "$(($1 * second_ms / 1000)).$(printf '%03d' $(($1 * second_ms % 1000)))" &
    fi
    nap=$!
    wait "$nap"
}

# SECONDS COMMAND…: runs it, but no longer than this; nobody's terminal or driver may hold up the heartbeat. Leaves no
# process behind: the first one of a container may not collect the ends of those that lost their parent.
within() {
    if [ -n "$has_timeout" ]; then
        timeout -k 2 "$@" </dev/null
    else
        shift
        "$@" </dev/null
    fi
}

random_below() {
    random_number=$(od -An -N2 -tu2 /dev/urandom 2>/dev/null | tr -d ' \n')
    is_number "$random_number" || random_number=$$
    echo $((random_number % $1))
}

# --- One copy in a container ------------------------------------------------------------------------------------------

# PID → "PID, start", which a restarted container does not give to another process; nothing if there is no such process.
identity() {
    if [ -d /proc/self ]; then
        identity_stat=$(cat "/proc/$1/stat" 2>/dev/null) || return 1
        # The name in it may hold spaces and parentheses.
        set -- "$1" ${identity_stat##*)}
        echo "$1 ${21}"
    else
        kill -0 "$1" 2>/dev/null && echo "$1 -"
    fi
}

# The process id of the copy that runs, if one does.
running_copy() {
    for folder in $lock_folders; do
        lock_words=
        { read -r lock_words <"$folder/dw-heartbeat.pid"; } 2>/dev/null
        lock_pid=${lock_words%% *}
        if is_number "$lock_pid" && [ "$(identity "$lock_pid")" = "$lock_words" ]; then
            echo "$lock_pid"
            return 0
        fi
    done
    return 1
}

# Sets `lock`, empty where no folder can be written to: then it runs without.
take_lock() {
    # Not $$, which in a detached copy is the process that started it.
    me=$(exec sh -c 'echo "$PPID"')
    me=$(identity "$me")
    lock=
    for folder in $lock_folders; do
        [ -d "$folder" ] && [ -w "$folder" ] || continue
        rm -f "$folder/dw-heartbeat.pid" 2>/dev/null
        if (set -C && echo "$me" >"$folder/dw-heartbeat.pid") 2>/dev/null; then
            lock=$folder/dw-heartbeat.pid
            return
        fi
    done
}

# Of two that start at the same moment the later one stays: the other finds its lock changed.
lock_is_lost() {
    [ -n "$lock" ] || return 1
    lock_words=
    { read -r lock_words <"$lock"; } 2>/dev/null
    [ -n "$lock_words" ] && [ "$lock_words" != "$me" ]
}

release() {
    if [ -n "$lock" ] && ! lock_is_lost; then
        rm -f "$lock" 2>/dev/null
    fi
}

# --- What is measured -------------------------------------------------------------------------------------------------

# Keeps the highest use of each GPU since the last report that was taken.
sample_gpus() {
    have nvidia-smi || return
    gpu_query='--query-gpu=utilization.gpu,memory.used,memory.total --format=csv,noheader,nounits'
    # shellcheck disable=SC2086
    gpu_lines=$(within 5 nvidia-smi $gpu_query 2>/dev/null) || return
    gpu_index=0
    IFS=$newline
    for gpu_line in $gpu_lines; do
        IFS=' ,'
        # shellcheck disable=SC2086
        keep_gpu "$gpu_index" $gpu_line
        gpu_index=$((gpu_index + 1))
    done
    IFS=$common_ifs
    [ "$gpu_index" -le "$gpu_count" ] || gpu_count=$gpu_index
}

# NUMBER USE MEMORY-USED MEMORY-TOTAL, some of which may be "[N/A]"
keep_gpu() {
    [ "$1" -lt 32 ] || return
    eval "gpu_before=\${gpu_use_$1}"
    if is_number "$2" && { [ -z "$gpu_before" ] || [ "$2" -gt "$gpu_before" ]; }; then
        eval "gpu_use_$1=$2"
    fi
    if is_number "$3" && is_number "$4" && [ "$4" -gt 0 ]; then
        eval "gpu_memory_$1=$(($3 * 100 / $4))"
    fi
}

forget_gpus() {
    gpu_index=0
    while [ "$gpu_index" -lt 32 ]; do
        eval "gpu_use_$gpu_index= gpu_memory_$gpu_index="
        gpu_index=$((gpu_index + 1))
    done
    gpu_count=0
}

# Hundredths of a second on a clock that nobody sets.
read_clock() {
    clock= clock_text=
    { read -r clock_text clock_rest </proc/uptime; } 2>/dev/null
    case $clock_text in
    *.[0-9][0-9]) is_number "${clock_text%.*}" && clock=$((${clock_text%.*} * 100 + 1${clock_text#*.} - 100)) ;;
    esac
    if [ -z "$clock" ]; then
        clock_text=$(date +%s)
        is_number "$clock_text" && clock=$((clock_text * 100))
    fi
}

# Hundredths of core-seconds used so far: of this container where that is known, else of the machine.
read_cpu() {
    cpu=
    cpu_word=$(sed -n 's/^usage_usec //p' /sys/fs/cgroup/cpu.stat 2>/dev/null)
    if is_number "$cpu_word"; then
        cpu=$((cpu_word / 10000))
        return
    fi
    cpu_word=
    { read -r cpu_word </sys/fs/cgroup/cpuacct/cpuacct.usage; } 2>/dev/null
    if is_number "$cpu_word"; then
        cpu=$((cpu_word / 10000000))
        return
    fi
    cpu_word=$(sed -n 's/^cpu  *//p' /proc/stat 2>/dev/null)
    # shellcheck disable=SC2086
    set -- $cpu_word
    for cpu_word in "$1" "$2" "$3" "$6" "$7" "$8"; do
        is_number "$cpu_word" && cpu=$((${cpu:-0} + cpu_word))
    done
}

# Bytes received and sent so far, not those to itself.
read_network() {
    network=
    network_lines=$(sed -n 's/^ *\([^: ]*\):/\1 /p' /proc/net/dev 2>/dev/null)
    IFS=$newline
    for network_line in $network_lines; do
        IFS=$common_ifs
        # shellcheck disable=SC2086
        set -- $network_line
        if [ "$1" != lo ] && is_number "$2" && is_number "${10}"; then
            network=$((${network:-0} + $2 + ${10}))
        fi
    done
    IFS=$common_ifs
}

start_measuring() {
    read_clock
    read_cpu
    read_network
    clock_before=$clock cpu_before=$cpu network_before=$network
}

# Sets `cores` (hundredths) and `bytes_a_minute` since the last time; empty where not known.
measure() {
    cores= bytes_a_minute=
    read_clock
    read_cpu
    read_network
    if [ -n "$clock" ] && [ -n "$clock_before" ] && [ "$clock" -gt "$clock_before" ]; then
        elapsed=$((clock - clock_before))
        if [ -n "$cpu" ] && [ -n "$cpu_before" ] && [ "$cpu" -ge "$cpu_before" ]; then
            cores=$(((cpu - cpu_before) * 100 / elapsed))
        fi
        if [ -n "$network" ] && [ -n "$network_before" ] && [ "$network" -ge "$network_before" ]; then
            bytes_a_minute=$(((network - network_before) * 6000 / elapsed))
        fi
    fi
    clock_before=$clock cpu_before=$cpu network_before=$network
}

# Seconds since the last keystroke in each open terminal, which the kernel keeps as its time of access. "Now" is the age
# of a new pipe: `date` may be told otherwise.
keystroke_ages() {
    now=$(: | stat -L -c %Y /dev/stdin 2>/dev/null)
    is_number "$now" || now=$(date +%s)
    set +f
    for terminal in $terminals; do
        [ -c "$terminal" ] || continue
        touched=$(stat -c %X "$terminal" 2>/dev/null)
        if is_number "$touched" && is_number "$now" && [ "$touched" -le "$now" ]; then
            echo $((now - touched))
        else
            echo unknown
        fi
    done | sort -n | head -n 40
    set -f
}

# FILE BYTES: its beginning as the inside of a JSON string.
file_as_json() {
    [ -f "$1" ] || return
    head -c "$2" "$1" 2>/dev/null | LC_ALL=C tr '\n\t' '  ' | LC_ALL=C tr -d '\000-\037\177' | only_text |
        LC_ALL=C sed -e 's/[\\"]/\\&/g' -e 's/ *$//'
}

only_text() {
    if have iconv; then iconv -c -f UTF-8 -t UTF-8 2>/dev/null; else LC_ALL=C tr -cd ' -~'; fi
}

# --- The report -------------------------------------------------------------------------------------------------------

report() {
    printf '{"v": 1, "seq": %d, "period_s": %d' "$seq" "$period"
    [ "$gpu_count" -eq 0 ] || printf ', "gpus": [%s]' "$(gpus_as_json)"
    [ -z "$cores" ] || printf ', "cpu": %d.%02d' $((cores / 100)) $((cores % 100))
    [ -z "$bytes_a_minute" ] || printf ', "net": %d' "$bytes_a_minute"
    printf ', "ssh": [%s]' "$(sessions_as_json)"
    if [ -e "$busy_file" ]; then printf ', "busy": true'; else printf ', "busy": false'; fi
    [ -z "$node" ] || printf ', "node": "%s"' "$node"
    printf ', "phase": "%s", "note": "%s"}' "$(file_as_json "$phase_file" 160)" "$(file_as_json "$note_file" 800)"
}

gpus_as_json() {
    index=0 separator=
    while [ "$index" -lt "$gpu_count" ]; do
        eval "use=\$gpu_use_$index memory=\$gpu_memory_$index"
        printf '%s{%s%s%s}' "$separator" "${use:+\"use\": $use}" "${use:+${memory:+, }}" "${memory:+\"mem\": $memory}"
        index=$((index + 1)) separator=', '
    done
}

sessions_as_json() {
    separator=
    for age in $(keystroke_ages); do
        if [ "$age" = unknown ]; then printf '%s{}' "$separator"; else printf '%s{"key_age_s": %d}' "$separator" "$age"; fi
        separator=', '
    done
}

# PATH BODY: sets `status` ("" or 000: not answered) and `answer`.
post() {
    status= answer=
    if have curl; then
        reply=$(curl -q -sS -m "$request_limit" -A "$user_agent" -H 'Content-Type: application/json' \
            --data-binary "$2" -w '\n%{http_code}' "$url$1" 2>/dev/null)
        status=${reply##*"$newline"} answer=${reply%"$newline"*}
    else
        reply=$(within "$request_limit" wget -q -S -O - -U "$user_agent" --header 'Content-Type: application/json' \
            --post-data "$2" "$url$1" 2>&1)
        status=$(printf '%s\n' "$reply" | sed -n 's/^ *HTTP\/[0-9.]* \([0-9][0-9][0-9]\).*/\1/p' | tail -n 1)
        answer=$(printf '%s\n' "$reply" | grep '^{')
    fi
}

# KEY: a value of the answer, one line of JSON
answer_text() {
    printf '%s\n' "$answer" | sed -n "s/.*[{,] *\"$1\" *: *\"\([^\"\\\\]*\(\\\\.[^\"\\\\]*\)*\)\".*/\1/p" |
        sed -e 's/\\[bfnrt]/ /g' -e 's/\\\(["\\/]\)/\1/g' | LC_ALL=C tr -d '\000-\037\177'
}

answer_number() {
    printf '%s\n' "$answer" | sed -n "s/.*[{,] *\"$1\" *: *\(-\{0,1\}\)0*\([0-9]\{1,9\}\).*/\1\2/p"
}

beat() {
    seq=$((seq + 1))
    measure
    post '' "$(report)"
    [ "$status" != 200 ] || forget_gpus
}

# --- What the answer asks for -----------------------------------------------------------------------------------------

heed_answer() {
    state=$(answer_text state)
    in_s=$(answer_number in_s)
    message=$(answer_text message)
    [ -z "$message" ] || tell_terminals "$message"
    if [ "$state" = stopping ] || { [ -n "$in_s" ] && [ "$in_s" -le 60 ]; }; then
        run_hook
    elif [ -z "$in_s" ] || [ "$in_s" -gt 120 ]; then
        hook_ran= # that stop was called off; the next one runs it again
    fi
    next=$(answer_number next_s)
    period=${next:-60}
    [ "$period" -ge 10 ] || period=10
    [ "$period" -le 600 ] || period=600
}

# Each terminal is told each message once.
tell_terminals() {
    set +f
    for terminal in $terminals; do
        [ -c "$terminal" ] && [ -w "$terminal" ] || continue
        case $newline$told in
        *"$newline$terminal $1$newline"*) continue ;;
        esac
        told=$told$terminal' '$1$newline
        within 2 sh -c 'printf "\r\n\007%s\r\n" "$2" >"$1"' tell "$terminal" "$1" 2>/dev/null
    done
    set -f
}

# Beside the reports, so that they go on while it saves what it has to save.
run_hook() {
    [ -z "$hook_ran" ] || return
    hook_ran=yes
    [ -f "$hook" ] && [ -x "$hook" ] || return
    explain "running $hook"
    (
        export DW_STOP_IN_S="$in_s" DW_STOP_REASON="$(answer_text reason)" DW_HEARTBEAT_URL="$url"
        within "$hook_limit" "$hook"
    ) &
}

# --- The loop ---------------------------------------------------------------------------------------------------------

# Waits so many seconds and looks at the GPUs every ten.
watch() {
    left=$1
    while [ "$left" -gt 0 ]; do
        slice=10
        [ "$left" -gt "$slice" ] || slice=$left
        pause "$slice"
        sample_gpus
        left=$((left - slice))
    done
}

# Sets `delay`: twice as long each time up to five minutes, and never at the same moment as all the others.
back_off() {
    failures=$((failures + 1))
    delay=15 doublings=$failures
    while [ "$doublings" -gt 1 ] && [ "$delay" -lt 300 ]; do
        delay=$((delay * 2)) doublings=$((doublings - 1))
    done
    [ "$delay" -le 300 ] || delay=300
    delay=$((delay / 2 + $(random_below $((delay / 2 + 1)))))
}

# Tells the machines of a job apart, the same for every copy in one container: a checksum, no name.
name_node() {
    node_boot=
    { read -r node_boot </proc/sys/kernel/random/boot_id; } 2>/dev/null
    node=$(uname -n 2>/dev/null)
    node=$(printf '%s' "$node $node_boot" | { cksum || sha256sum || md5sum; } 2>/dev/null | tr -cd '0-9a-f')
}

prepare() {
    set -f
    name_node
    seq=0 failures=0 not_found=0 told='' hook_ran=''
    forget_gpus
    start_measuring
}

run() {
    [ -n "$verbose" ] || exec >/dev/null 2>&1
    take_lock
    trap 'release; kill "$nap"; wait "$nap"; exit 0' TERM
    prepare
    watch 2
    while ! lock_is_lost; do
        beat
        delay=$period
        case $status in
        200)
            failures=0 not_found=0
            heed_answer
            delay=$period
            ;;
        410) break ;;
        404)
            not_found=$((not_found + 1))
            [ "$not_found" -lt 5 ] || break
            ;;
        429) ;;
        *) back_off ;;
        esac
        [ "$status" = 200 ] || explain "not taken (HTTP ${status:-000}); again in $delay s"
        watch "$delay"
    done
    explain "ends (HTTP ${status:-000})"
    release
}

once() {
    prepare
    watch 2
    beat
    printf '%s\n' "$answer" | sed '/^$/d'
    [ "$status" = 200 ] && return
    say "not taken: HTTP ${status:-000}"
    return 1
}

keep() {
    if ! is_number "$1"; then
        say 'write for how many minutes: --keep 60'
        return 1
    fi
    post "/keep?m=$1" ''
    words=$(answer_text message)
    [ -z "$words" ] || say "$words"
    [ "$status" = 200 ] && return
    [ -n "$words" ] || say "not kept: HTTP ${status:-000}"
    return 1
}

# The address, also where a login by SSH lost the container's environment.
find_url() {
    url=${url:-${DW_HEARTBEAT_URL:-}}
    [ -n "$url" ] || url=$(tr '\000' '\n' 2>/dev/null </proc/1/environ | sed -n 's/^DW_HEARTBEAT_URL=//p')
    url=${url%/}
    case $url in
    http://?* | https://?*) ;;
    '') complaint='no heartbeat address: set DW_HEARTBEAT_URL, or write --url ADDRESS' ;;
    *) complaint='the heartbeat address must start with https:// or http://' ;;
    esac
}

main() {
    mode=run minutes='' url='' verbose='' complaint='' lock='' nap=''
    while [ $# -gt 0 ]; do
        case $1 in
        --background) mode=background ;;
        --once) mode=once ;;
        --keep) mode=keep minutes=${2:-} && [ $# -lt 2 ] || shift ;;
        --url) url=${2:-} && [ $# -lt 2 ] || shift ;;
        -v) verbose=yes ;;
        -h | --help) mode=help ;;
        *) complaint="unknown: $1 (see --help)" ;;
        esac
        shift
    done
    [ "$mode" != help ] || { usage && return; }
    find_url
    have curl || have wget || complaint='neither curl nor wget is here: no heartbeat'
    has_timeout=''
    timeout -k 1 1 sleep 0 2>/dev/null && has_timeout=yes
    { sleep 0; } 2>/dev/null || complaint='sleep is not here: no heartbeat'
    case $mode in
    once | keep)
        [ -z "$complaint" ] || { say "$complaint" && return 1; }
        "$mode" "$minutes"
        return
        ;;
    esac
    [ -n "$complaint" ] || ! copy=$(running_copy) || complaint="already running (process $copy)"
    [ -z "$complaint" ] || { say "$complaint" && return 0; }
    if [ "$mode" = run ]; then
        trap 'release; exit 0' INT
        run
    else
        (trap '' HUP INT QUIT TSTP TTIN TTOU && run) </dev/null >/dev/null 2>&1 &
        [ ! -t 1 ] || say "started (process $!); ends with the job"
    fi
    return 0
}

# Only here does anything happen: a copy that arrived in part does nothing.
main "$@"
