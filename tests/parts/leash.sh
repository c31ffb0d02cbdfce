#!/bin/sh
# leash.sh COMMAND…: runs the command until it ends, or until standard input closes: then
# it is killed with -9. So a server that a test started ends with the test, however that
# ends. What the command prints goes to standard error.

# Copied first, for a background list has no standard input of its own.
exec 3<&0
"$@" </dev/null 3<&- >&2 &
child=$!
# The one line on standard output: who runs, for those who signal it.
echo "pid $child"
exec >/dev/null
(cat >/dev/null <&3 && kill -KILL "$child" 2>/dev/null) &
exec 3<&-
wait "$child"
