/* See scratch.h. */
#include "scratch.h"
#include "check.h"

#include <fcntl.h>
#include <grp.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

/* Where there are mount namespaces, /tmp is a tmpfs of this process alone, which ends with it. */
static void own_tmp(void)
{
	static bool done;

	if (done || unshare(CLONE_NEWNS))
		return;
	done = true;
	if (mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) ||
	    mount("tmpfs", "/tmp", "tmpfs", 0, NULL))
		_exit(98);
}

void scratch(void)
{
	static char path[] = "/tmp/files-XXXXXX";

	umask(022);
	own_tmp();
	if (!mkdtemp(path) || chdir(path))
		_exit(99);
}

int mount_tmpfs(const char *options)
{
	scratch();
	if (mkdir("mnt", 0755) || mount("tmpfs", "mnt", "tmpfs", 0, options))
		return -1;
	return chdir("mnt");
}

int be_user(uid_t id)
{
	return setgroups(0, NULL) || setresgid(id, id, id) || setresuid(id, id, id) ? -1 : 0;
}

int status_of_child(void (*fn)(void))
{
	int status = -1;
	pid_t pid = fork();

	if (pid == 0) {
		fn();
		_exit(0);
	}
	if (pid < 0 || waitpid(pid, &status, 0) != pid)
		return -1;
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

char *line_of(const char *path, const char *key, char *buf, size_t size)
{
	FILE *f = fopen(path, "r");
	bool found = false;

	while (f && !found && fgets(buf, (int)size, f))
		found = !strncmp(buf, key, strlen(key));
	if (f)
		fclose(f);
	if (!found)
		buf[0] = 0;
	return buf;
}

int make(const char *name, const char *text)
{
	int fd = open(name, O_WRONLY | O_CREAT | O_TRUNC, 0644);
	ssize_t n;

	if (fd < 0)
		return -1;
	n = write(fd, text, strlen(text));
	close(fd);
	return n == (ssize_t)strlen(text) ? 0 : -1;
}

const char *text_of(const char *name)
{
	static char buf[8192];
	int fd = open(name, O_RDONLY);
	ssize_t n = fd < 0 ? 0 : read(fd, buf, sizeof(buf) - 1);

	buf[n > 0 ? n : 0] = 0;
	if (fd >= 0)
		close(fd);
	return buf;
}
