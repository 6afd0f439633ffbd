#!/bin/sh
# Makes deploy/.env, with new secrets, and deploy/settings.env, where they are missing; nothing that is there is changed.
set -eu
umask 077
cd "$(dirname "$0")"

secret() { od -An -tx1 -N32 /dev/urandom | tr -d ' \n'; }

if [ ! -e .env ]; then
    while IFS= read -r line; do
        case $line in
            '#'*) echo "$line" ;;
            *=) echo "$line$(secret)" ;;
            *) echo "$line" ;;
        esac
    done < .env.example > .env.new
    mv .env.new .env
fi
[ -e settings.env ] || cp settings.env.example settings.env
