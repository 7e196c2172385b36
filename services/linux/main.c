/*
 * The Linux personality of a core: its beginning.
 *
 *   linux [-s] [-c KERNEL-COMMAND-LINE] [PROGRAM [ARGUMENT...]]
 *
 * Makes the root file system, then process 1 (boot.c), and becomes the scheduler of the core's
 * Linux threads. When process 1 ends, so does this program, with its status.
 *
 * With -s it is the shard of another core than that of process 1 (shard.h): it begins without
 * processes and with an empty root, and takes what comes.
 *
 * Where to go on reading: process.h, sched.h, mm.h, signal.h, syscall.h.
 */
#include "boot.h"
#include "bootwords.h"
#include "afar.h"
#include "console.h"
#include "corestate.h"
#include "counts.h"
#include "directory.h"
#include "family.h"
#include "farfiles.h"
#include "farmem.h"
#include "farns.h"
#include "farpage.h"
#include "directory.h"
#include "futex.h"
#include "misc.h"
#include "move.h"
#include "placement.h"
#include "ram.h"
#include "procfar.h"
#include "random.h"
#include "sched.h"
#include "shard.h"
#include "signal.h"
#include "syscall.h"
#include "timer.h"
#include "vdso.h"

#include <rt/rt.h>
#include <stdlib.h>
#include <string.h>
#include <vfs/far.h>

static void set_limits(struct process *p)
{
	static const struct k_rlimit limits[RLIMITS] = {
		[RLIMIT_CPU] = {RLIM_INFINITY, RLIM_INFINITY},
		[RLIMIT_FSIZE] = {RLIM_INFINITY, RLIM_INFINITY},
		[RLIMIT_DATA] = {RLIM_INFINITY, RLIM_INFINITY},
		[RLIMIT_STACK] = {8 * MiB, RLIM_INFINITY},
		[RLIMIT_CORE] = {0, RLIM_INFINITY},
		[RLIMIT_RSS] = {RLIM_INFINITY, RLIM_INFINITY},
		[RLIMIT_NPROC] = {7800, 7800},
		[RLIMIT_NOFILE] = {1024, 4096},
		[RLIMIT_MEMLOCK] = {8 * MiB, 8 * MiB},
		[RLIMIT_AS] = {RLIM_INFINITY, RLIM_INFINITY},
		[RLIMIT_LOCKS] = {RLIM_INFINITY, RLIM_INFINITY},
		[RLIMIT_SIGPENDING] = {7800, 7800},
		[RLIMIT_MSGQUEUE] = {819200, 819200},
		[RLIMIT_RTTIME] = {RLIM_INFINITY, RLIM_INFINITY},
	};

	memcpy(p->limits, limits, sizeof(limits));
}

/* Process 1, without a program yet; NULL: no memory. */
static struct thread *make_first(struct vfs *vfs)
{
	struct process *p = process_new(1);
	struct thread *t = p ? thread_new(p, 1) : NULL;

	if (!t || process_join(p, 0, 0))
		return NULL;
	init_process = p;
	p->unkillable = true;
	p->exit_signal = SIGCHLD;
	p->sighand = sighand_new();
	set_limits(p);
	t->cred.effective = t->cred.permitted = t->cred.bounding = CAP_ALL;
	t->vfs.vfs = vfs;
	t->vfs.fs = fs_context_new(vfs);
	t->vfs.files = fd_table_new(vfs);
	if (!p->sighand || !t->vfs.fs || !t->vfs.files)
		return NULL;
	thread_sync_vfs(t);
	return t;
}

/* Take part in the system of all cores, if there are several. */
static int join(struct vfs *vfs)
{
	int err = shard_init();

	if (err || !shards)
		return err;
	err = directory_init(shards);
	if (!err)
		err = family_init(shards);
	if (!err)
		err = afar_init(shards);
	if (!err)
		err = procfar_init(vfs, shards);
	if (!err)
		err = farpage_init(shards);
	if (!err)
		err = farmem_init(shards);
	if (!err)
		err = farfutex_init(shards);
	if (!err)
		err = farfiles_init(vfs, shards);
	if (!err)
		err = vfs_far_join(vfs, shards, linux_cores());
	if (!err)
		err = farns_init(vfs, shards);
	if (!err)
		err = move_init(shards, vfs);
	if (!err)
		err = corestate_init(shards);
	if (!err)
		err = counts_init(shards);
	if (!err)
		err = placement_init(shards);
	return err ? err : shard_open();
}

static int init(struct vfs **vfs, bool shard)
{
	char *trace = bootwords_value(kernel_cmdline, "linux.trace");
	int err = ram_init();

	if (trace)
		trace_init(trace);
	free(trace);
	random_init();
	sigframe_init();
	if (!err)
		err = numbers_init(&process_numbers, domain_start()->core, &process_pid_max);
	if (!err)
		err = vdso_init();
	if (!err)
		err = timer_init();
	if (err)
		return err;
	*vfs = env_init();
	if (!*vfs)
		return -ENOMEM;
	if (!shard) /* terminals are core 0's */
		err = console_init(*vfs);
	if (!err)
		err = proc_init(*vfs);
	return err ? err : join(*vfs);
}

/* Process 1 begins; 0 or the status that all ends with. */
static int begin(struct vfs *vfs, int argc, char **argv)
{
	struct thread *first = make_first(vfs);
	int status;

	if (!first) {
		printf("linux: cannot start: %s\n", strerror(ENOMEM));
		return NOT_A_PROGRAM;
	}
	status = boot_first(first, argc, argv);
	if (!status)
		sched_add(first);
	return status;
}

int main(int argc, char **argv)
{
	struct vfs *vfs;
	bool shard;
	int err = 0, status;

	argc--, argv++;
	shard = argc && strcmp(argv[0], "-s") == 0;
	argc -= shard, argv += shard;
	if (argc >= 2 && strcmp(argv[0], "-c") == 0) {
		err = boot_set_cmdline(argv[1]);
		argc -= 2, argv += 2;
	}
	if (!err)
		err = init(&vfs, shard);
	if (err) {
		printf("linux: cannot start: %s\n", strerror(-err));
		return NOT_A_PROGRAM;
	}
	status = shard ? 0 : begin(vfs, argc, argv);
	if (status)
		return status;
	if (sched_init())
		return NOT_A_PROGRAM;
	rt_sleep_forever();
}
