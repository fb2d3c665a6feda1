#!/bin/sh
# What the tests need beside Python: a PostgreSQL server and Chromium. Installed where we are root on Debian;
# elsewhere the tests that need them are skipped, one line each.
set -u
say() { echo "tests: $*" >&2; }


can_install() { [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; }

if ! command -v chromium >/dev/null 2>&1; then
  if can_install; then
    say "installing Chromium"
    (apt-get update -qq && apt-get install -y -qq --no-install-recommends chromium) >/dev/null 2>&1 || say "Chromium could not be installed"
  else
    say "no Chromium: the browser tests are skipped"
  fi
fi

if ! bash -c '[ -n "${RANGKUL_TEST_POSTGRES:-}" ] || (exec 3<>/dev/tcp/127.0.0.1/5432) 2>/dev/null'; then
  if can_install; then
    command -v pg_ctlcluster >/dev/null 2>&1 || {
      say "installing PostgreSQL"
      (apt-get update -qq && apt-get install -y -qq --no-install-recommends postgresql) >/dev/null 2>&1
    }
    version=$(ls /etc/postgresql 2>/dev/null | tail -n 1)
    if [ -n "$version" ]; then
      pg_ctlcluster --skip-systemctl-redirect "$version" main start >/dev/null 2>&1 || true
      # Loopback only, for tests on a machine of our own.
      hba=/etc/postgresql/$version/main/pg_hba.conf
      grep -q '^host all postgres 127.0.0.1/32 trust' "$hba" || {
        sed -i '1i host all postgres 127.0.0.1/32 trust' "$hba"
        pg_ctlcluster --skip-systemctl-redirect "$version" main reload >/dev/null 2>&1 || true
      }
    fi
  else
    say "no PostgreSQL on 127.0.0.1:5432: its tests are skipped"
  fi
fi
exit 0
