#!/usr/bin/env bash
# Ставит «Партнёр-М» как службу systemd: packaging/install.sh [ФАЙЛ ПРОГРАММЫ]
#
# Без параметра собирает программу из этих исходников. Второй запуск обновляет программу и службу,
# а настройки и данные не трогает. С DESTDIR только раскладывает файлы: так собирается пакет.
set -euo pipefail

here=$(cd "$(dirname "$0")/.." && pwd)
root=${DESTDIR:-}
units=/lib/systemd/system
doc=$root/usr/share/doc/partner-m

say() { printf '%s\n' "$*" >&2; }
die() { say "ошибка: $1"; [ -z "${2:-}" ] || say "что делать: $2"; exit 1; }

if [ -z "$root" ]; then
  [ "$(id -u)" = 0 ] || die "нужны права root" "sudo packaging/install.sh"
  if [ "$(dpkg-query -W -f '${db:Status-Status}' partner-m 2>/dev/null)" = installed ]; then
    die "программа стоит пакетом" "обновите: partner-m-update ПАКЕТ.deb"
  fi
fi

if [ $# -ge 1 ]; then
  binary=$1
else
  command -v cargo >/dev/null || die "нет cargo" "поставьте Rust с rustup.rs или укажите готовую программу: packaging/install.sh ФАЙЛ"
  (cd "$here" && cargo build --release --locked)
  binary=$here/target/release/partner-m
fi
[ -f "$binary" ] || die "нет файла $binary"

if [ -z "$root" ] && ! getent passwd partner-m >/dev/null; then
  useradd --system --user-group --no-create-home --home-dir /var/lib/partner-m \
    --shell /usr/sbin/nologin partner-m
fi

install -d "$root/usr/bin" "$root/usr/sbin" "$root$units" "$root/etc/partner-m" "$doc/examples" \
  "$root/usr/share/bash-completion/completions"
# Переименованием: файл работающей программы не переписать.
install -m 0755 "$binary" "$root/usr/bin/partner-m.new"
mv -f "$root/usr/bin/partner-m.new" "$root/usr/bin/partner-m"
install -m 0755 "$here/packaging/partner-m-update" "$root/usr/sbin/partner-m-update"
for unit in partner-m.service partner-m-update.service partner-m-update.timer; do
  install -m 0644 "$here/packaging/$unit" "$root$units/$unit"
done
install -m 0644 "$here/README.md" "$here"/docs/*.md "$doc/"
install -m 0644 "$here/packaging/nginx.conf" "$here/packaging/Caddyfile" "$doc/examples/"
"$binary" completions bash >"$root/usr/share/bash-completion/completions/partner-m"
chmod 0644 "$root/usr/share/bash-completion/completions/partner-m"

settings=$root/etc/partner-m/partner-m.toml
if [ ! -e "$settings" ]; then
  # Команда, набранная в оболочке, найдёт те же данные, что и служба.
  sed 's|^#data_dir = .*|data_dir = "/var/lib/partner-m"|' "$here/partner-m.toml.example" >"$settings"
  chmod 0640 "$settings"
fi
if [ ! -e "$root/etc/partner-m/update.conf" ]; then
  install -m 0644 "$here/packaging/update.conf" "$root/etc/partner-m/update.conf"
fi
[ -z "$root" ] || exit 0

# В настройках бывают пароли: читают их root и служба.
chown root:partner-m "$settings"
if [ ! -e /var/lib/partner-m ]; then
  install -d -o partner-m -g partner-m -m 0700 /var/lib/partner-m
fi
if [ -d /run/systemd/system ]; then
  systemctl daemon-reload
  systemctl enable partner-m.service
  systemctl restart partner-m.service || die "служба не запустилась" "посмотрите journalctl -u partner-m"
  say "служба работает; первый администратор: partner-m admin create --phone ТЕЛЕФОН --name ИМЯ"
else
  say "systemd здесь не работает; запуск руками: partner-m serve"
fi
say "настройки: /etc/partner-m/partner-m.toml, данные: /var/lib/partner-m"
