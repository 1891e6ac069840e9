#!/usr/bin/env bash
# How long the clinic's pages take with 20,000 cases, on SQLite and on PostgreSQL: fills, serves, measures, and prints
# a table of each in Markdown. By hand, on an idle computer: tests/clinic/measure.sh [PEOPLE [SECONDS]]
# PostgreSQL runs as its own user where this is root; without it that half is left out, and says so.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
python=$PWD/.venv/bin/python
people=${1:-50} seconds=${2:-60} patients=${PATIENTS:-20000} port=${PORT:-8770}
at=$(mktemp -d)
chmod 755 "$at"
server='' pg=''
as_postgres() { if [ "$(id -u)" = 0 ]; then runuser -u postgres -- "$@"; else "$@"; fi; }
end() {
  [ -z "$server" ] || kill "$server" 2>/dev/null || true
  [ -z "$pg" ] || as_postgres "$pg" -D "$at/pg/data" -m fast stop >/dev/null || true
  rm -rf "$at"
}
trap end EXIT

measured() { # name of the database
  echo "## $1"
  "$python" -m tests.clinic.many --data "$at/data" --patients "$patients"
  "$python" -m lissive serve --no-worker --data "$at/data" --port "$port" 2>"$at/served" &
  server=$!
  for _ in $(seq 120); do
    "$python" -c "import urllib.request as r; r.urlopen('http://localhost:$port/account/login/', timeout=60)" 2>/dev/null && break
    kill -0 "$server" 2>/dev/null || { cat "$at/served" >&2; exit 1; }
    sleep 1
  done
  uptime
  "$python" -m tests.clinic.load "$people" "$seconds" --data "$at/data" --url "http://localhost:$port"
  kill "$server"
  wait "$server" || true
  server=''
  "$python" -m lissive web verify-audit --data "$at/data"
  rm -rf "$at/data"
}

unset LISSIVE_DATABASE_URL
measured SQLite
bin=$(find /usr/lib/postgresql -name pg_ctl 2>/dev/null | sort -V | tail -1)
[ -n "$bin" ] || bin=$(command -v pg_ctl) || { echo "PostgreSQL is not installed: not measured."; exit 0; }
mkdir "$at/pg"
[ "$(id -u)" != 0 ] || chown postgres "$at/pg"
as_postgres "$(dirname "$bin")/initdb" -D "$at/pg/data" -A trust >/dev/null
pg=$bin
as_postgres "$pg" -D "$at/pg/data" -w -o "-k $at/pg -c listen_addresses=''" -l "$at/pg/log" start >/dev/null
export LISSIVE_DATABASE_URL="postgresql://$([ "$(id -u)" = 0 ] && echo postgres || id -un)@/postgres?host=$at/pg"
measured PostgreSQL
