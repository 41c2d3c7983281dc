#!/bin/sh
# Starts Kamailio in a container, with the modules of this project in front of its
# own.
#
#   container.sh [OPTION...]   options are Kamailio's
set -eu

# The server says itself where its modules are.
own=$(kamailio -h | sed -n 's/.*Modules search path (default: \(.*\))$/\1/p')
first=${own%%:*}

# It becomes the container's first process, which the engine asks to stop.
exec kamailio -DD -E -f /etc/kamailio/kamailio.cfg -L "${first%/}/rust:$own" -Y /run/kamailio "$@"
