#!/bin/sh
# The host's start: what an init system does on a real server, in order, ending as dockerd. It runs again at every
# `docker restart` (a reboot) and after `docker kill` (a power cut).
set -eu

# Docker mounts cgroups and /proc/sys read-only into a container that is not privileged; SYS_ADMIN may undo that for
# its own mount namespace. dockerd needs both.
open_kernel_mounts() {
    mount -o remount,bind,rw /proc/sys
    if [ -f /sys/fs/cgroup/cgroup.controllers ]; then
        mount -o remount,bind,rw /sys/fs/cgroup
        delegate_cgroup_v2
    else
        for controller in /sys/fs/cgroup/*; do
            # Some are links to another one. One that stays read-only is named by dockerd when it starts.
            mount -o remount,bind,rw "$controller" 2>/dev/null || true
        done
    fi
}

# On cgroup v2 a group with processes cannot give controllers to its children: move ourselves into a leaf first.
# A process that was born in between makes the write fail, so it is tried again.
delegate_cgroup_v2() {
    mkdir -p /sys/fs/cgroup/init
    for _ in 1 2 3 4 5; do
        xargs -rn1 </sys/fs/cgroup/cgroup.procs >/sys/fs/cgroup/init/cgroup.procs 2>/dev/null || true
        if sed -e 's/ / +/g' -e 's/^/+/' </sys/fs/cgroup/cgroup.controllers \
            >/sys/fs/cgroup/cgroup.subtree_control 2>/dev/null; then
            return 0
        fi
    done
    echo "init: the cgroup controllers could not be delegated; limits may not work" >&2
}

# A power cut leaves pid files and sockets behind (/run is no tmpfs here), and dockerd would not start next to them.
remove_what_a_power_cut_leaves() {
    rm -rf /run/docker /run/docker.sock /run/docker.pid /run/containerd /run/sshd.pid
}

# The host's own packet filter: what no rule names is refused. Docker adds its chains beside these rules and publishes a
# container's port before them, so only what runs on the host itself is opened: sshd, O4O's port on the hosts that PM2
# runs it on, and the metrics of the host for its own network. The rules are made before anything listens.
start_firewall() {
    case $(hostname) in o4o*) application=3000 ;; *) application= ;; esac
    network=$(ip -o -4 route show scope link dev eth0 | awk '{ print $1; exit }')
    for filter in iptables ip6tables; do
        # A kernel without IPv6 has no rules for it, and needs none.
        "$filter" -w -S INPUT >/dev/null 2>&1 || [ "$filter" = iptables ] || continue
        "$filter" -w -F INPUT
        "$filter" -w -A INPUT -i lo -j ACCEPT
        "$filter" -w -A INPUT -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
        for bridge in docker0 br-+; do "$filter" -w -A INPUT -i "$bridge" -j ACCEPT; done
        for port in 22 $application; do "$filter" -w -A INPUT -p tcp --dport "$port" -j ACCEPT; done
        "$filter" -w -P INPUT DROP
    done
    # Only where there is IPv6, as above.
    ip6tables -w -I INPUT -p ipv6-icmp -j ACCEPT 2>/dev/null || true
    iptables -w -A INPUT -p icmp --icmp-type echo-request -j ACCEPT
    if [ -n "$network" ]; then iptables -w -A INPUT -s "$network" -p tcp --dport 9100 -j ACCEPT; fi
}

start_sshd() {
    ssh-keygen -A >/dev/null
    mkdir -p /run/sshd
    /usr/sbin/sshd
}

# What the host uses, for the lab's Prometheus; only what it is asked for, so that it costs next to nothing.
start_node_exporter() {
    setpriv --reuid=prometheus --regid=prometheus --clear-groups prometheus-node-exporter \
        --collector.disable-defaults --collector.cpu --collector.meminfo --collector.filesystem --collector.loadavg \
        --web.listen-address=:9100 >/var/log/node-exporter.log 2>&1 &
}

# `pm2 startup` wants systemd; this is its equivalent. The databases in containers come back with dockerd, so PM2's
# processes may have to retry their first connections, as on any server.
resurrect_pm2() {
    if [ -f /home/deploy/.pm2/dump.pm2 ]; then
        rm -f /home/deploy/.pm2/*.sock /home/deploy/.pm2/pm2.pid
        su - deploy -c 'pm2 resurrect' >/var/log/pm2-resurrect.log 2>&1 &
    fi
}

open_kernel_mounts
remove_what_a_power_cut_leaves
start_firewall
start_sshd
start_node_exporter
resurrect_pm2
exec dockerd >>/var/log/dockerd.log 2>&1
