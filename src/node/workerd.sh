#!/bin/sh
# Starts workerd so that it ends with the process that started it, even when that one is killed: otherwise it would go
# on serving the data folder.
echo $$ > "$SMP_EDGE_WORKERD_PID"
if command -v setpriv > /dev/null 2>&1; then
  exec setpriv --pdeathsig KILL "$SMP_EDGE_WORKERD" "$@"
fi
exec "$SMP_EDGE_WORKERD" "$@"
