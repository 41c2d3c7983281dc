#!/bin/sh
# Starts Kamailio in a container. It takes the modules of this project before its
# own ones.
#
#   container.sh [OPTION...]   the options are Kamailio's
set -eu

# The server itself says where its modules are.
own=$(kamailio -h | sed -n 's/.*Modules search path (default: \(.*\))$/\1/p')
first=${own%%:*}

# The server becomes the container's first process, which the engine asks to stop.
exec kamailio -DD -E -f /etc/kamailio/kamailio.cfg -L "${first%/}/rust:$own" -Y /run/kamailio "$@"
