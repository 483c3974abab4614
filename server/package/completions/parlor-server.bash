# Completion of parlor-server for bash.

_parlor_server() {
    local word=$2 before=$3
    COMPREPLY=()
    case $before in
        --tls) mapfile -t COMPREPLY < <(compgen -W 'on only off' -- "$word") ;;
        --accounts) mapfile -t COMPREPLY < <(compgen -W 'open closed off' -- "$word") ;;
        --format) mapfile -t COMPREPLY < <(compgen -W 'text jsonl' -- "$word") ;;
        --raw-encoding) mapfile -t COMPREPLY < <(compgen -W 'auto utf-8 ascii latin-1 gbk' -- "$word") ;;
        --flood) mapfile -t COMPREPLY < <(compgen -W 'off' -- "$word") ;;
        --raw-prompt) mapfile -t COMPREPLY < <(compgen -W 'none NICK' -- "$word") ;;
        --data)
            compopt -o filenames
            mapfile -t COMPREPLY < <(compgen -d -- "$word")
            ;;
        --config | --motd | --tls-cert | --tls-key | --oper-file | --password-file | \
            --cluster-password-file)
            compopt -o filenames
            mapfile -t COMPREPLY < <(compgen -f -- "$word")
            ;;
        --bind | --raw-bind | --announce | --cluster | --name | --default-room | --max-clients | --max-clients-per-ip | --sts | \
            --keep-private | --replay | --keep | --keep-lines | --keep-bytes | --keep-total | --export | --since | \
            --accounts-keep) ;;
        *)
            mapfile -t COMPREPLY < <(compgen -W '--bind --raw-bind --raw-prompt --raw-encoding --no-plain --announce --cluster
                --cluster-password-file --name --motd
                --default-room --max-clients --max-clients-per-ip --flood --tls --tls-cert --tls-key --sts --data
                --no-history --no-private --keep-private --replay --keep --keep-lines --keep-bytes --keep-total
                --export --since --format --oper-file --password-file --accounts --accounts-keep --config -q --quiet
                -v --verbose -V --version -h --help' -- "$word")
            ;;
    esac
}

complete -F _parlor_server parlor-server
