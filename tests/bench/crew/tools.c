/*
 * What modes and workers need beside each other: messages counted, children, copies, pipes. See
 * crew.h, workers.h.
 */
#include "workers.h"
#include "mountabi.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

/* A sysfs that is mounted nowhere, so that no namespace has it; -1: there is none. */
static int sysfs = -1;

void open_sysfs(void)
{
	int fs = (int)syscall(SYS_fsopen, "sysfs", FSOPEN_CLOEXEC);

	if (fs < 0)
		return;
	if (syscall(SYS_fsconfig, fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0) == 0)
		sysfs = (int)syscall(SYS_fsmount, fs, FSMOUNT_CLOEXEC, 0);
	close(fs);
}

/* A line of the file is an area, what all cores have sent, what all have received. Reading the file
 * is itself an area: control. */
long messages(void)
{
	int fd = sysfs < 0 ? -1 : openat(sysfs, "kernel/skerry/messages", O_RDONLY | O_CLOEXEC);
	FILE *f = fd < 0 ? NULL : fdopen(fd, "r");
	char area[32];
	long sent, sum = 0;

	if (!f)
		return -1;
	while (fscanf(f, "%31s %ld %*d", area, &sent) == 2)
		sum += strcmp(area, "control") ? sent : 0;
	fclose(f);
	return sum;
}

int failed(long result)
{
	return result < 0 ? -errno : 0;
}

int in_child(int (*fn)(void))
{
	pid_t pid = fork();
	int status;

	if (pid == 0)
		_exit(-fn() & 0xff);
	if (pid < 0)
		return -errno;
	if (waitpid(pid, &status, 0) != pid)
		return -errno;
	if (!WIFEXITED(status))
		return -EINTR;
	return -WEXITSTATUS(status);
}

void copy_program(const char *from, const char *to)
{
	int in = open(from, O_RDONLY | O_CLOEXEC);
	int out = open(to, O_WRONLY | O_CREAT | O_CLOEXEC, 0755);
	struct stat st;

	if (in < 0 || out < 0 || fstat(in, &st) || sendfile(out, in, NULL, (size_t)st.st_size) < 0)
		die(-errno, "copy %s to %s", from, to);
	close(in);
	close(out);
}

int pin(uint32_t core)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(core, &set);
	return failed(sched_setaffinity(0, sizeof(set), &set));
}

void send_all(int fd, const void *data, size_t len)
{
	const char *p = data;

	while (len) {
		ssize_t n = write(fd, p, len);

		if (n < 0)
			die(-errno, "worker's pipe");
		p += n;
		len -= (size_t)n;
	}
}

void receive_all(int fd, void *data, size_t len)
{
	char *p = data;

	while (len) {
		ssize_t n = read(fd, p, len);

		if (n <= 0)
			die(n ? -errno : 0, "a worker ended early");
		p += n;
		len -= (size_t)n;
	}
}
