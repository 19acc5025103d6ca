#!/bin/bash
# sbatch docs/cluster/slurm.sh --num_seeds=64
# A job that ran out of time goes on where it was: submit it again.
#SBATCH --job-name=jaxnets
#SBATCH --nodes=4
#SBATCH --ntasks-per-node=1
#SBATCH --cpus-per-task=16
#SBATCH --exclusive
#SBATCH --time=04:00:00
#SBATCH --requeue
# For GPUs: #SBATCH --gpus-per-node=4, and --gpus_per_worker=1 in the last line.
set -euo pipefail

# results and compiled programs lie where all nodes see them
output="${OUTPUT:-$SLURM_SUBMIT_DIR/results/slurm}"
export XDG_CACHE_HOME="${XDG_CACHE_HOME:-$SLURM_SUBMIT_DIR/.cache}"
export RAY_USAGE_STATS_ENABLED=0

# other users of these nodes do not get in: all nodes see one home, and the token in it
export RAY_AUTH_MODE=token
ray get-auth-token --generate > /dev/null

head=$(scontrol show hostnames "$SLURM_JOB_NODELIST" | head -n 1)

# starts Ray on each node, runs the command on the first, and ends Ray
srun ray symmetric-run --address "$head:6379" --min-nodes "$SLURM_JOB_NUM_NODES" --num-cpus="$SLURM_CPUS_PER_TASK" -- \
  python run.py compare_optimizers --cluster=auto --output="$output" "$@"
