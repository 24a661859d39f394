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

start_sshd() {
    ssh-keygen -A >/dev/null
    mkdir -p /run/sshd
    /usr/sbin/sshd
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
start_sshd
resurrect_pm2
exec dockerd >>/var/log/dockerd.log 2>&1
