/*
 * The Linux personality of a core: its beginning.
 *
 *   linux [-c KERNEL-COMMAND-LINE] [PROGRAM [ARGUMENT...]]
 *
 * Makes the root file system, then process 1 (boot.c), and becomes the scheduler of the core's
 * Linux threads. When process 1 ends, so does this program, with its status.
 *
 * Where to go on reading: process.h, sched.h, mm.h, signal.h, syscall.h.
 */
#include "boot.h"
#include "bootwords.h"
#include "console.h"
#include "directory.h"
#include "misc.h"
#include "ram.h"
#include "random.h"
#include "sched.h"
#include "signal.h"
#include "syscall.h"
#include "timer.h"
#include "vdso.h"

#include <rt/rt.h>
#include <stdlib.h>
#include <string.h>

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

static int init(struct vfs **vfs)
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
	err = console_init(*vfs);
	if (!err)
		err = proc_init(*vfs);
	return err;
}

int main(int argc, char **argv)
{
	struct vfs *vfs;
	struct thread *first;
	int err = 0, status;

	argc--, argv++;
	if (argc >= 2 && strcmp(argv[0], "-c") == 0) {
		err = boot_set_cmdline(argv[1]);
		argc -= 2, argv += 2;
	}
	if (!err)
		err = init(&vfs);
	first = err ? NULL : make_first(vfs);
	if (!first) {
		printf("linux: cannot start: %s\n", strerror(err ? -err : ENOMEM));
		return NOT_A_PROGRAM;
	}
	status = boot_first(first, argc, argv);
	if (status)
		return status;
	sched_add(first);
	err = sched_init();
	if (err)
		return NOT_A_PROGRAM;
	rt_sleep_forever();
}
