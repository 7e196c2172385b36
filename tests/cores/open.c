/* Open files that processes on different cores share: offset, locks, data from file to file. */
#include "check.h"
#include "cores.h"
#include "scratch.h"

#include <dirent.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

static int fd, p[2];
static char byte;

/* A file with @text, open for reading and writing. */
static void file_with(const char *text)
{
	scratch();
	fd = open("f", O_RDWR | O_CREAT | O_TRUNC, 0644);
	CHECK(fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text));
	CHECK(lseek(fd, 0, SEEK_SET) == 0);
	CHECK(pipe(p) == 0);
}

/* Does the file hold just @text? */
static bool holds(const char *text)
{
	char buf[256] = "";
	ssize_t n = pread(fd, buf, sizeof(buf) - 1, 0);

	return n == (ssize_t)strlen(text) && strcmp(buf, text) == 0;
}

/* --- One offset --- */

static int read_three(void *arg)
{
	char buf[4] = "";

	MUST(read(fd, buf, 3) == 3 && strcmp(buf, arg) == 0);
	return 0;
}

CASE(one_offset_for_all_cores)
{
	char buf[4] = "";

	file_with("abcdefghijklmno");
	CHECK(read(fd, buf, 3) == 3);
	CHECK(end_of(on_core(1, read_three, "def")) == 0);
	CHECK(end_of(on_core(2, read_three, "ghi")) == 0);
	CHECK(lseek(fd, 0, SEEK_CUR) == 9);
	CHECK(read(fd, buf, 3) == 3 && strcmp(buf, "jkl") == 0);
}

static int seek_about(void *arg)
{
	(void)arg;
	MUST(lseek(fd, 2, SEEK_SET) == 2 && lseek(fd, 3, SEEK_CUR) == 5);
	MUST(lseek(fd, -1, SEEK_END) == 9);
	MUST(lseek(fd, -100, SEEK_CUR) == -1 && errno == EINVAL);
	MUST(lseek(fd, 4, SEEK_SET) == 4);
	return 0;
}

CASE(seeks_elsewhere_are_seen)
{
	file_with("0123456789");
	CHECK(end_of(on_core(1, seek_about, NULL)) == 0);
	CHECK(read(fd, &byte, 1) == 1 && byte == '4');
}

static int write_marks(void *arg)
{
	for (int i = 0; i < 50; i++)
		MUST(write(fd, arg, 1) == 1);
	return 0;
}

CASE(writes_of_several_cores_follow_each_other)
{
	int count[3] = {0};
	char buf[200];
	pid_t child[3];

	file_with("");
	child[0] = on_core(1, write_marks, "a");
	child[1] = on_core(2, write_marks, "b");
	child[2] = on_core(3, write_marks, "c");
	for (int i = 0; i < 3; i++)
		CHECK(end_of(child[i]) == 0);
	CHECK(pread(fd, buf, sizeof(buf), 0) == 150);
	for (int i = 0; i < 150; i++)
		count[buf[i] - 'a']++;
	CHECK(count[0] == 50 && count[1] == 50 && count[2] == 50);
}

static int append(void *arg)
{
	(void)arg;
	MUST(fcntl(fd, F_SETFL, O_APPEND) == 0);
	MUST(lseek(fd, 0, SEEK_SET) == 0);
	MUST(write(fd, "!", 1) == 1);
	return 0;
}

CASE(append_is_of_the_open_file)
{
	file_with("abc");
	CHECK(end_of(on_core(1, append, NULL)) == 0);
	CHECK(lseek(fd, 0, SEEK_SET) == 0 && write(fd, "?", 1) == 1);
	CHECK(holds("abc!?"));
}

static int at_places(void *arg)
{
	struct iovec two[2] = {{"xy", 2}, {"z", 1}};
	char buf[4] = "";

	(void)arg;
	MUST(pread(fd, buf, 3, 4) == 3 && strcmp(buf, "efg") == 0);
	MUST(pwrite(fd, "XY", 2, 1) == 2);
	MUST(pwritev(fd, two, 2, 6) == 3);
	MUST(lseek(fd, 0, SEEK_CUR) == 0);
	return 0;
}

CASE(reading_and_writing_at_places)
{
	file_with("abcdefghi");
	fcntl(fd, F_SETFL, 0);
	CHECK(end_of(on_core(1, at_places, NULL)) == 0);
	CHECK(holds("aXYdefxyz"));
}

static int change_size(void *arg)
{
	struct stat st;

	(void)arg;
	MUST(ftruncate(fd, 4) == 0);
	MUST(fstat(fd, &st) == 0 && st.st_size == 4 && S_ISREG(st.st_mode));
	MUST(fchmod(fd, 0600) == 0);
	MUST(fallocate(fd, 0, 0, 8192) == 0);
	return 0;
}

CASE(size_and_mode_changed_elsewhere)
{
	struct stat st;

	file_with("0123456789");
	CHECK(end_of(on_core(1, change_size, NULL)) == 0);
	CHECK(fstat(fd, &st) == 0 && st.st_size == 8192 && (st.st_mode & 0777) == 0600);
	CHECK(read(fd, &byte, 1) == 1 && byte == '0');
}

static int list(void *arg)
{
	DIR *dir = fdopendir(*(int *)arg);
	int names = 0;

	MUST(dir != NULL);
	for (struct dirent *e = readdir(dir); e; e = readdir(dir))
		names += e->d_name[0] == 'n';
	MUST(names == 20);
	return 0;
}

CASE(folder_is_listed_elsewhere)
{
	char name[16];
	int dir;

	scratch();
	for (int i = 0; i < 20; i++) {
		snprintf(name, sizeof(name), "n%d", i);
		CHECK(close(open(name, O_CREAT | O_WRONLY, 0644)) == 0);
	}
	dir = open(".", O_RDONLY | O_DIRECTORY);
	CHECK(dir >= 0);
	CHECK(end_of(on_core(1, list, &dir)) == 0);
}

static int use_devices(void *arg)
{
	const int *fds = arg;
	char buf[16];

	MUST(write(fds[0], "x", 1) == 1 && read(fds[0], buf, 1) == 0);
	memset(buf, 1, sizeof(buf));
	MUST(read(fds[1], buf, sizeof(buf)) == (ssize_t)sizeof(buf) && buf[7] == 0);
	return 0;
}

CASE(null_and_zero_go_along)
{
	int fds[2] = {open("/dev/null", O_RDWR), open("/dev/zero", O_RDWR)};

	CHECK(fds[0] >= 0 && fds[1] >= 0);
	CHECK(end_of(on_core(1, use_devices, fds)) == 0);
}

static int use_memory(void *arg)
{
	struct stat st;

	(void)arg;
	MUST(pwrite(fd, "there", 5, 100) == 5);
	MUST(fstat(fd, &st) == 0 && st.st_size == 105);
	MUST(fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK) == 0);
	return 0;
}

CASE(memfd_is_written_elsewhere)
{
	char buf[6] = "";

	fd = memfd_create("m", MFD_ALLOW_SEALING);
	CHECK(fd >= 0);
	CHECK(end_of(on_core(1, use_memory, NULL)) == 0);
	CHECK(pread(fd, buf, 5, 100) == 5 && strcmp(buf, "there") == 0);
	CHECK(fcntl(fd, F_GET_SEALS) == F_SEAL_SHRINK);
	CHECK_ERROR(ftruncate(fd, 0), EPERM);
}

/* --- Locks --- */

static int record(int on, int cmd, short type)
{
	struct flock l = {.l_type = type, .l_whence = SEEK_SET};

	return fcntl(on, cmd, &l);
}

static int hold_lock(void *arg)
{
	(void)arg;
	MUST(record(fd, F_SETLK, F_WRLCK) == 0);
	MUST(write(p[1], "l", 1) == 1);
	pause();
	return 0;
}

CASE(record_lock_of_another_core)
{
	struct flock l = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
	pid_t child;

	file_with("abc");
	child = on_core(1, hold_lock, NULL);
	CHECK(read(p[0], &byte, 1) == 1);
	CHECK_ERROR(record(fd, F_SETLK, F_RDLCK), EAGAIN);
	CHECK(fcntl(fd, F_GETLK, &l) == 0 && l.l_type == F_WRLCK && l.l_pid == child);
	CHECK(kill(child, SIGKILL) == 0 && end_of(child) == -SIGKILL);
	CHECK(record(fd, F_SETLK, F_WRLCK) == 0);
}

static int wait_for_lock(void *arg)
{
	(void)arg;
	MUST(record(fd, F_SETLK, F_WRLCK) == -1 && (errno == EAGAIN || errno == EACCES));
	MUST(write(p[1], "w", 1) == 1);
	MUST(record(fd, F_SETLKW, F_WRLCK) == 0);
	MUST(write(fd, "b", 1) == 1);
	return 0;
}

CASE(record_lock_is_waited_for_elsewhere)
{
	struct pollfd none;
	pid_t child;

	file_with("");
	CHECK(record(fd, F_SETLK, F_WRLCK) == 0);
	child = on_core(1, wait_for_lock, NULL);
	CHECK(read(p[0], &byte, 1) == 1);
	poll(&none, 0, 30);
	CHECK(write(fd, "a", 1) == 1);
	CHECK(record(fd, F_SETLK, F_UNLCK) == 0);
	CHECK(end_of(child) == 0);
	CHECK(holds("ab"));
}

static int wander_with_lock(void *arg)
{
	struct flock l = {.l_type = F_WRLCK, .l_whence = SEEK_SET};

	(void)arg;
	MUST(record(fd, F_SETLK, F_WRLCK) == 0);
	to_core(1);
	MUST(record(fd, F_SETLK, F_WRLCK) == 0); /* still his */
	MUST(fcntl(fd, F_GETLK, &l) == 0 && l.l_type == F_UNLCK);
	to_core(2);
	MUST(write(p[1], "w", 1) == 1);
	pause();
	return 0;
}

CASE(record_lock_goes_with_its_process)
{
	struct flock l = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
	pid_t child;

	file_with("abc");
	child = on_core(0, wander_with_lock, NULL);
	CHECK(read(p[0], &byte, 1) == 1);
	CHECK(fcntl(fd, F_GETLK, &l) == 0 && l.l_type == F_WRLCK && l.l_pid == child);
	CHECK_ERROR(record(fd, F_SETLK, F_WRLCK), EAGAIN);
	CHECK(kill(child, SIGTERM) == 0 && end_of(child) == -SIGTERM);
	CHECK(record(fd, F_SETLK, F_WRLCK) == 0);
}

static int close_a_copy(void *arg)
{
	(void)arg;
	MUST(record(fd, F_SETLK, F_WRLCK) == 0);
	MUST(close(dup(fd)) == 0);
	MUST(write(p[1], "c", 1) == 1);
	pause();
	return 0;
}

CASE(record_lock_ends_when_any_descriptor_is_closed)
{
	pid_t child;

	file_with("abc");
	child = on_core(1, close_a_copy, NULL);
	CHECK(read(p[0], &byte, 1) == 1);
	CHECK(record(fd, F_SETLK, F_WRLCK) == 0);
	CHECK(kill(child, SIGKILL) == 0 && end_of(child) == -SIGKILL);
}

static int own_file_lock(void *arg)
{
	int other = *(int *)arg;

	MUST(record(fd, F_OFD_SETLK, F_WRLCK) == 0);
	MUST(record(other, F_OFD_SETLK, F_WRLCK) == -1 && errno == EAGAIN);
	return 0;
}

CASE(open_file_lock_stays_with_the_open_file)
{
	int other;

	file_with("abc");
	other = open("f", O_RDWR);
	CHECK(other >= 0);
	CHECK(end_of(on_core(1, own_file_lock, &other)) == 0);
	CHECK_ERROR(record(other, F_OFD_SETLK, F_WRLCK), EAGAIN);
	CHECK(record(fd, F_OFD_SETLK, F_RDLCK) == 0); /* one's own is changed */
	CHECK(close(fd) == 0);
	CHECK(record(other, F_OFD_SETLK, F_WRLCK) == 0);
}

static int take_flock(void *arg)
{
	int other = *(int *)arg;

	MUST(flock(fd, LOCK_EX | LOCK_NB) == 0); /* the same open file */
	MUST(flock(other, LOCK_SH | LOCK_NB) == -1 && errno == EWOULDBLOCK);
	MUST(write(p[1], "w", 1) == 1);
	MUST(flock(other, LOCK_EX) == 0);
	return 0;
}

CASE(flock_between_cores)
{
	struct pollfd none;
	pid_t child;
	int other;

	file_with("abc");
	other = open("f", O_RDWR);
	CHECK(other >= 0 && flock(fd, LOCK_EX) == 0);
	child = on_core(1, take_flock, &other);
	CHECK(read(p[0], &byte, 1) == 1);
	poll(&none, 0, 20);
	CHECK(flock(fd, LOCK_UN) == 0);
	CHECK(end_of(child) == 0);
	CHECK_ERROR(flock(fd, LOCK_SH | LOCK_NB), EWOULDBLOCK); /* other is still open here */
	CHECK(close(other) == 0);
	CHECK(flock(fd, LOCK_SH | LOCK_NB) == 0);
}

/* --- From file to file --- */

static int send_there(void *arg)
{
	loff_t at = 1;

	(void)arg;
	MUST(sendfile(p[1], fd, NULL, 3) == 3);
	MUST(sendfile(p[1], fd, &at, 2) == 2 && at == 3);
	MUST(lseek(fd, 0, SEEK_CUR) == 3);
	return 0;
}

CASE(sendfile_elsewhere)
{
	char buf[8] = "";

	file_with("abcdef");
	CHECK(end_of(on_core(1, send_there, NULL)) == 0);
	CHECK(read(p[0], buf, 7) == 5 && strcmp(buf, "abcbc") == 0);
	CHECK(lseek(fd, 0, SEEK_CUR) == 3);
}

static int copy_there(void *arg)
{
	loff_t from = 2, to = 0;

	MUST(copy_file_range(fd, &from, *(int *)arg, &to, 3, 0) == 3 && from == 5 && to == 3);
	MUST(copy_file_range(fd, NULL, *(int *)arg, NULL, 100, 0) == 6);
	return 0;
}

CASE(copy_file_range_elsewhere)
{
	char buf[16] = "";
	int other;

	file_with("abcdef");
	other = open("g", O_RDWR | O_CREAT, 0644);
	CHECK(other >= 0);
	CHECK(end_of(on_core(1, copy_there, &other)) == 0);
	CHECK(pread(other, buf, 15, 0) == 6 && strcmp(buf, "abcdef") == 0);
	CHECK(lseek(fd, 0, SEEK_CUR) == 6);
}

static int splice_there(void *arg)
{
	loff_t at = 3;
	int mine[2];

	(void)arg;
	MUST(splice(fd, NULL, p[1], NULL, 3, 0) == 3); /* "abc" into the pipe */
	MUST(splice(p[0], NULL, fd, &at, 2, 0) == 2);  /* "ab" back, behind it */
	MUST(at == 5);
	MUST(pipe(mine) == 0 && write(mine[1], "xyz", 3) == 3);
	MUST(splice(mine[0], NULL, p[1], NULL, 2, 0) == 2); /* from a pipe of this core */
	MUST(splice(p[0], NULL, mine[1], NULL, 1, 0) == 1); /* and to it: "zc" */
	MUST(splice(fd, NULL, fd, NULL, 1, 0) == -1 && errno == EINVAL);
	MUST(splice(p[0], &at, mine[1], NULL, 1, 0) == -1 && errno == ESPIPE);
	MUST(read(mine[0], &byte, 1) == 1 && byte == 'z');
	MUST(read(mine[0], &byte, 1) == 1 && byte == 'c');
	return 0;
}

CASE(splice_elsewhere)
{
	char buf[8] = "";

	file_with("abcdef");
	CHECK(end_of(on_core(1, splice_there, NULL)) == 0);
	CHECK(holds("abcabf"));
	CHECK(read(p[0], buf, 7) == 2 && strcmp(buf, "xy") == 0);
}

static int tee_there(void *arg)
{
	const int *to = arg;
	int mine[2];

	MUST(tee(p[0], to[1], 3, 0) == 3);
	MUST(pipe(mine) == 0);
	MUST(tee(p[0], mine[1], 100, 0) == 5);
	MUST(tee(mine[0], to[1], 100, 0) == 5);
	MUST(fcntl(p[0], F_SETFL, O_NONBLOCK) == 0);
	return 0;
}

CASE(tee_elsewhere)
{
	char buf[16] = "";
	int to[2];

	CHECK(pipe(p) == 0 && pipe(to) == 0 && write(p[1], "hello", 5) == 5);
	CHECK(end_of(on_core(1, tee_there, to)) == 0);
	CHECK(read(p[0], buf, 15) == 5 && strcmp(buf, "hello") == 0);
	CHECK(read(to[0], buf, 15) == 8 && memcmp(buf, "helhello", 8) == 0);
}

static int vmsplice_there(void *arg)
{
	struct iovec two[2] = {{"ab", 2}, {"cde", 3}};
	char back[3] = "";
	struct iovec one = {back, 2};

	(void)arg;
	MUST(vmsplice(p[1], two, 2, 0) == 5);
	MUST(vmsplice(p[0], &one, 1, 0) == 2 && strcmp(back, "ab") == 0);
	return 0;
}

CASE(vmsplice_elsewhere)
{
	char buf[8] = "";

	CHECK(pipe(p) == 0);
	CHECK(end_of(on_core(1, vmsplice_there, NULL)) == 0);
	CHECK(read(p[0], buf, 7) == 3 && strcmp(buf, "cde") == 0);
}
