/*
 * corebench: what programs do on several cores at once. One static binary, the same on Skerry and
 * on Linux; workers and the command line are the crew's.
 *
 * A worker of a mode "pipe-..." has a partner, a child that sends back each byte it gets: on its
 * own core, on another core of its node, on a core of another node. An operation is a byte there
 * and back. Which cores are of one node is asked of the system: where they are not as the mode's
 * name says, that is an error and no figure.
 */
#include "crew.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define WORLD   "/tmp/corebench"
#define PROGRAM WORLD "/true"
#define SHARED  WORLD "/shared"

/* --- spawn --- */

static int be_true(void)
{
	execl(PROGRAM, "true", "--true", (char *)NULL);
	return -errno;
}

static int run_spawn(void)
{
	return in_child(be_true);
}

/* --- pipe-core, pipe-node, pipe-far --- */

static int to_partner, from_partner;

static int run_pipe(void)
{
	char byte = 0;

	if (write(to_partner, &byte, 1) != 1)
		return -errno;
	return read(from_partner, &byte, 1) == 1 ? 0 : -EPIPE;
}

/* Sends back what it gets, until nobody can send any more. */
static _Noreturn void be_partner(int in, int out)
{
	char byte;

	while (read(in, &byte, 1) == 1) {
		if (write(out, &byte, 1) != 1)
			_exit(1);
	}
	_exit(0);
}

static uint32_t node_here(void)
{
	unsigned core, node;

	return syscall(SYS_getcpu, &core, &node, NULL) ? UINT32_MAX : node;
}

/* A partner on @core, of this node or of another. */
static int start_partner(uint32_t core, bool same_node)
{
	uint32_t here = node_here(), there;
	int go[2], back[2], r;
	pid_t pid;

	if (pipe2(go, O_CLOEXEC) || pipe2(back, O_CLOEXEC))
		return -errno;
	pid = fork();
	if (pid < 0)
		return -errno;
	if (pid == 0) {
		close(go[1]);
		r = pin(core);
		there = r ? UINT32_MAX : node_here();
		send_all(back[1], &there, sizeof(there));
		be_partner(go[0], back[1]);
	}
	close(go[0]);
	close(back[1]);
	to_partner = go[1];
	from_partner = back[0];
	receive_all(from_partner, &there, sizeof(there));
	if (there == UINT32_MAX || here == UINT32_MAX)
		return -EINVAL;
	return (there == here) == same_node ? 0 : -EXDEV;
}

static int prepare_core(const struct plan *p, uint32_t worker)
{
	return start_partner(worker % p->cores, true);
}

static uint32_t first_of_two(const struct plan *p, uint32_t worker)
{
	return 2 * worker % p->cores;
}

static int prepare_node(const struct plan *p, uint32_t worker)
{
	return start_partner(first_of_two(p, worker) + 1, true);
}

/* Cores are numbered node by node: half of them further is another one. */
static uint32_t first_half(const struct plan *p, uint32_t worker)
{
	return worker % (p->cores / 2);
}

static int prepare_far(const struct plan *p, uint32_t worker)
{
	return start_partner(first_half(p, worker) + p->cores / 2, false);
}

/* --- files-own, files-shared --- */

static char file_name[32];

static int run_files(void)
{
	int fd = open(file_name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);

	if (fd < 0 || close(fd))
		return -errno;
	return failed(unlink(file_name));
}

static int prepare_own(const struct plan *p, uint32_t worker)
{
	char folder[64];

	(void)p;
	snprintf(folder, sizeof(folder), WORLD "/%u", worker);
	snprintf(file_name, sizeof(file_name), "file");
	return failed(mkdir(folder, 0700) || chdir(folder) ? -1 : 0);
}

static int prepare_shared(const struct plan *p, uint32_t worker)
{
	(void)p;
	snprintf(file_name, sizeof(file_name), "file-%u", worker);
	return failed(chdir(SHARED));
}

/* --- What the crew asks for --- */

const char bench_name[] = "corebench";
const char bench_about[] = "Has processes on several cores do the same at once";

const struct plan_number plan_numbers[] = {{.name = NULL}};

const struct mode modes[] = {
	{.name = "spawn", .about = "fork, exec, wait", .run = run_spawn},
	{.name = "pipe-core",
	 .about = "a byte to a process of the same core, and back",
	 .run = run_pipe,
	 .prepare = prepare_core},
	{.name = "pipe-node",
	 .about = "the same with another core of the node",
	 .run = run_pipe,
	 .prepare = prepare_node,
	 .core = first_of_two,
	 .cores_each = 2},
	{.name = "pipe-far",
	 .about = "the same with a core of another node",
	 .run = run_pipe,
	 .prepare = prepare_far,
	 .core = first_half,
	 .cores_each = 2},
	{.name = "files-own",
	 .about = "create and unlink, each worker in a folder of its own",
	 .run = run_files,
	 .prepare = prepare_own},
	{.name = "files-shared",
	 .about = "create and unlink, all in the same folder",
	 .run = run_files,
	 .prepare = prepare_shared},
	{.name = NULL},
};

/* A tmpfs with the program that is executed and the folder that workers share. */
void world_make(const struct plan *p, const char *self)
{
	(void)p;
	if ((mkdir("/tmp", 0755) && errno != EEXIST) || (mkdir(WORLD, 0755) && errno != EEXIST))
		die(-errno, "mkdir " WORLD);
	if (mount("corebench", WORLD, "tmpfs", 0, NULL))
		die(-errno, "mount at " WORLD);
	copy_program(self, PROGRAM);
	if (mkdir(SHARED, 0755))
		die(-errno, "mkdir " SHARED);
}

void world_end(void)
{
	if (umount2(WORLD, MNT_DETACH) == 0)
		rmdir(WORLD);
}
