/* See place.h. */
#include "place.h"

#include <grp.h>
#include <sys/prctl.h>

void place(void)
{
	if (unshare(CLONE_NEWNS) || mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) ||
	    mount("place", "/tmp", "tmpfs", 0, NULL) || chdir("/tmp"))
		_exit(98);
	if (mkdir("a", 0755) || mkdir("b", 0755) || mkdir("c", 0755) || mkdir("d", 0755))
		_exit(98);
}

int open_tree_(int fd, const char *path, unsigned flags)
{
	return (int)syscall(NR_open_tree, fd, path, flags);
}

int move_mount_(int from, const char *from_path, int to, const char *to_path, unsigned flags)
{
	return (int)syscall(NR_move_mount, from, from_path, to, to_path, flags);
}

int setattr_(int fd, const char *path, unsigned flags, uint64_t set, uint64_t clear,
	     uint64_t propagation)
{
	struct mount_attr_ attr = {.set = set, .clear = clear, .propagation = propagation};

	return (int)syscall(NR_mount_setattr, fd, path, flags, &attr, sizeof(attr));
}

int tmpfs(const char *where)
{
	return mount("none", where, "tmpfs", 0, NULL);
}

int bind_(const char *from, const char *to, unsigned long flags)
{
	return mount(from, to, NULL, MS_BIND | flags, NULL);
}

int kind(const char *where, unsigned long flags)
{
	return mount(NULL, where, NULL, flags, NULL);
}

bool there(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0;
}

int touch(const char *path)
{
	int fd = open(path, O_WRONLY | O_CREAT, 0644);

	return fd < 0 ? -1 : close(fd);
}

const char *info_of(const char *where)
{
	static char line[1024];
	char found[1024] = "", name[256], point[256];
	FILE *f = fopen("/proc/self/mountinfo", "r");

	snprintf(name, sizeof(name), "/tmp/%s", where);
	while (f && fgets(line, sizeof(line), f)) {
		if (sscanf(line, "%*d %*d %*s %*s %255s", point) == 1 && !strcmp(point, name))
			memcpy(found, line, sizeof(found));
	}
	if (f)
		fclose(f);
	memcpy(line, found, sizeof(line));
	return line;
}

int count_mounts(void)
{
	FILE *f = fopen("/proc/self/mountinfo", "r");
	int n = 0, c;

	while (f && (c = fgetc(f)) != EOF)
		n += c == '\n';
	if (f)
		fclose(f);
	return n;
}

int number_after(const char *line, const char *word)
{
	const char *at = strstr(line, word);

	return at ? atoi(at + strlen(word)) : 0;
}

int status_of(void (*fn)(void))
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

int put(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY);
	ssize_t n;

	if (fd < 0)
		return -1;
	n = write(fd, text, strlen(text));
	close(fd);
	return n == (ssize_t)strlen(text) ? 0 : -1;
}

const char *text_of(const char *path)
{
	static char buf[1024];
	int fd = open(path, O_RDONLY);
	ssize_t n = fd < 0 ? 0 : read(fd, buf, sizeof(buf) - 1);

	buf[n > 0 ? n : 0] = 0;
	if (fd >= 0)
		close(fd);
	return buf;
}

void be_root_of_little(void)
{
	place();
	if (chmod("/tmp", 0777) || chown("a", 1000, 1000) || setgroups(0, NULL) ||
	    setresgid(1000, 1000, 1000) || setresuid(1000, 1000, 1000))
		_exit(97);
	/* /proc/self is root's after a change of user, unless this is said. */
	if (prctl(PR_SET_DUMPABLE, 1) || unshare(CLONE_NEWUSER | CLONE_NEWNS))
		_exit(96);
	if (put("/proc/self/setgroups", "deny") || put("/proc/self/uid_map", "0 1000 1") ||
	    put("/proc/self/gid_map", "0 1000 1"))
		_exit(95);
}
