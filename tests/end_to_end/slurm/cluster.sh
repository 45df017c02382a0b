#!/usr/bin/env bash
# A real SLURM on one Debian machine, for tests: a controller and two nodes that claim four CPUs and
# two GPUs (device files of no device) each, on the loopback interface. Needs root, no systemd.
#   cluster.sh up FOLDER      installs what is missing, starts what is not running
#   cluster.sh down FOLDER    ends its jobs and stops it
# Then `export SLURM_CONF=FOLDER/slurm.conf`. No accounting: the launcher does without sacct.
set -euo pipefail
export PATH=/usr/sbin:/sbin:$PATH
D=$(realpath -m "$2"); PORT=${SLURM_TEST_PORT:-27817}; HOST=$(hostname -s)
export SLURM_CONF=$D/slurm.conf
die() { echo "cluster.sh: $*" >&2; exit 1; }

alive() {  # alive NAME PROGRAM: does NAME.pid name a living process of that program, no zombie?
    local pid
    [ -s "$D/$1.pid" ] && read -r pid < "$D/$1.pid" &&
        [ "$(cat "/proc/$pid/comm" 2>/dev/null)" = "$2" ] && ! grep -q ') Z ' "/proc/$pid/stat"
}

wait_for() {  # wait_for SECONDS COMMAND…
    local end=$((SECONDS + $1)); shift
    while [ $SECONDS -le $end ]; do "$@" >/dev/null 2>&1 && return 0; sleep .05; done
    return 1
}

stop() {  # stop NAME PROGRAM
    local pid
    alive "$1" "$2" || return 0
    read -r pid < "$D/$1.pid"
    kill "$pid"
    for _ in $(seq 200); do alive "$1" "$2" || return 0; sleep .05; done
    kill -KILL "$pid"
}

down() {
    [ -d "$D" ] || exit 0
    if alive slurmctld slurmctld; then  # jobs would outlive their nodes
        ids=$(timeout 10 squeue -h -o %F | sort -u)
        [ -z "$ids" ] || timeout 20 scancel $ids || true
        wait_for 15 sh -c '[ -z "$(squeue -h -t RUNNING,COMPLETING)" ]' || true
    fi
    stop slurmd-n1 slurmd; stop slurmd-n2 slurmd; stop slurmctld slurmctld; stop munged munged
}

configuration() {
    cat <<CONF
ClusterName=test
SlurmctldHost=$HOST(127.0.0.1)
SlurmctldPort=$PORT
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
# cred_expire is also how long a requeued job waits: two minutes by default
AuthInfo=socket=$D/munge.socket,cred_expire=5
StateSaveLocation=$D/state
SlurmdSpoolDir=$D/spool/%n
SlurmctldPidFile=$D/slurmctld.pid
SlurmdPidFile=$D/slurmd-%n.pid
SlurmctldLogFile=$D/slurmctld.log
SlurmdLogFile=$D/slurmd-%n.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SwitchType=switch/none
MpiDefault=none
MailProg=/bin/true
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU
SlurmdParameters=config_overrides
ReturnToService=2
JobRequeue=1
PreemptType=preempt/partition_prio
PreemptMode=REQUEUE
SchedulerType=sched/backfill
# the defaults are for thousands of nodes
SchedulerParameters=batch_sched_delay=0,sched_interval=2,bf_interval=2,sched_min_interval=0
KillWait=5
SlurmdTimeout=60
FirstJobId=$(( $(date +%s) % 60000000 + 1000 ))
MaxArraySize=101
GresTypes=gpu
NodeName=n1 NodeHostname=$HOST NodeAddr=127.0.0.1 Port=$((PORT + 1)) CPUs=4 RealMemory=65536 Gres=gpu:2
NodeName=n2 NodeHostname=$HOST NodeAddr=127.0.0.1 Port=$((PORT + 2)) CPUs=4 RealMemory=65536 Gres=gpu:2
PartitionName=debug Nodes=ALL Default=YES MaxTime=INFINITE State=UP PriorityTier=10 PreemptMode=OFF
PartitionName=low Nodes=ALL MaxTime=INFINITE State=UP PriorityTier=1 PreemptMode=REQUEUE GraceTime=20
PartitionName=high Nodes=ALL MaxTime=INFINITE State=UP PriorityTier=20 PreemptMode=OFF
CONF
}

up() {
    [ "$(id -u)" = 0 ] || die "needs root: slurmd starts jobs"
    local missing=()
    for pair in slurmctld:slurmctld slurmd:slurmd sbatch:slurm-client munged:munge; do
        command -v "${pair%%:*}" >/dev/null || missing+=("${pair##*:}")
    done
    if [ ${#missing[@]} -gt 0 ]; then
        command -v apt-get >/dev/null || die "not here, and no apt-get: ${missing[*]}"
        apt-get update -qq >/dev/null
        RUNLEVEL=1 DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends \
            "${missing[@]}" >/dev/null 2>&1 || die "apt-get install ${missing[*]} failed"
    fi
    umask 022
    mkdir -p "$D"/{state,spool/n1,spool/n2}
    alive slurmctld slurmctld || configuration > "$SLURM_CONF"
    ln -sfn /dev/null "$D/nvidia0"; ln -sfn /dev/null "$D/nvidia1"  # slurmd wants device files
    echo "Name=gpu File=$D/nvidia[0-1]" > "$D/gres.conf"
    if ! alive munged munged; then
        [ -s "$D/munge.key" ] || (umask 077; head -c 1024 /dev/urandom > "$D/munge.key")
        rm -f "$D"/munge.socket*
        munged --key-file="$D/munge.key" --socket="$D/munge.socket" --pid-file="$D/munged.pid" \
            --log-file="$D/munged.log" --seed-file="$D/munge.seed" --num-threads=2 --force
    fi
    wait_for 10 timeout 5 munge -S "$D/munge.socket" -n || die "munged does not answer"
    alive slurmctld slurmctld || setsid slurmctld -f "$SLURM_CONF" >/dev/null 2>&1 </dev/null
    wait_for 20 timeout 5 scontrol ping || die "slurmctld does not answer, see $D/slurmctld.log"
    for node in n1 n2; do
        alive "slurmd-$node" slurmd ||
            setsid slurmd -N $node -f "$SLURM_CONF" >/dev/null 2>&1 </dev/null
    done
    ready() { [ "$(sinfo -h -N -p debug -o %T | grep -cxE 'idle|mixed|allocated|completing')" = 2 ]; }
    wait_for 10 ready || { scontrol update nodename=n1,n2 state=resume || true; wait_for 10 ready; } ||
        die "the nodes do not come up, see $D/slurmd-*.log"
}

case $1 in up) up;; down) down;; *) die "up or down, not $1";; esac
