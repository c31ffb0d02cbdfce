#!/bin/sh
# leash.sh COMMAND…: runs the command until it ends, or until standard input closes: then
# it is killed with -9. So a server that a test started ends with the test, however that
# ends. What the command prints goes to standard error.
"$@" </dev/null >&2 &
child=$!
# The one line on standard output: who runs, for those who signal it.
echo "pid $child"
exec >/dev/null
(cat >/dev/null <&3 && kill -KILL "$child" 2>/dev/null) 3<&0 &
wait "$child"
