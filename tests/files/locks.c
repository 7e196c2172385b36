/* Locks: fcntl(2), flock(2), leases. */
#include "check.h"
#include "scratch.h"

#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/wait.h>
#include <unistd.h>

static int fd;

static void file(void)
{
	scratch();
	fd = open("f", O_RDWR | O_CREAT, 0644);
	CHECK(fd >= 0);
}

static int lock(int on, int cmd, short type, off_t start, off_t len)
{
	struct flock l = {.l_type = type, .l_whence = SEEK_SET, .l_start = start, .l_len = len};

	return fcntl(on, cmd, &l);
}

/* What another process could not get: the type of the lock in its way, F_UNLCK if none. */
static int seen_by_other(off_t start, off_t len, struct flock *out)
{
	int p[2];
	pid_t pid;

	CHECK(pipe(p) == 0);
	pid = fork();
	if (pid == 0) {
		struct flock l = {.l_type = F_WRLCK, .l_start = start, .l_len = len};

		_exit(fcntl(fd, F_GETLK, &l) || write(p[1], &l, sizeof(l)) != sizeof(l));
	}
	CHECK(read(p[0], out, sizeof(*out)) == sizeof(*out));
	waitpid(pid, NULL, 0);
	close(p[0]);
	close(p[1]);
	return out->l_type;
}

CASE(own_record_locks_are_replaced_and_merged)
{
	struct flock l;

	file();
	CHECK(lock(fd, F_SETLK, F_WRLCK, 0, 10) == 0 && lock(fd, F_SETLK, F_WRLCK, 10, 10) == 0);
	CHECK(seen_by_other(0, 0, &l) == F_WRLCK && l.l_start == 0 && l.l_len == 20);
	CHECK(lock(fd, F_SETLK, F_UNLCK, 5, 5) == 0);
	CHECK(seen_by_other(0, 0, &l) == F_WRLCK && l.l_start == 0 && l.l_len == 5);
	CHECK(seen_by_other(5, 5, &l) == F_UNLCK);
	CHECK(seen_by_other(5, 0, &l) == F_WRLCK && l.l_start == 10 && l.l_len == 10);
	CHECK(l.l_pid == getpid());
	CHECK(lock(fd, F_SETLK, F_RDLCK, 0, 0) == 0);
	CHECK(seen_by_other(0, 1, &l) == F_RDLCK && l.l_start == 0 && l.l_len == 0);
}

CASE(record_lock_ranges)
{
	struct flock l = {.l_type = F_WRLCK, .l_whence = SEEK_END, .l_start = -4, .l_len = 2};

	file();
	CHECK(ftruncate(fd, 10) == 0 && fcntl(fd, F_SETLK, &l) == 0);
	CHECK(seen_by_other(0, 0, &l) == F_WRLCK && l.l_start == 6 && l.l_len == 2);
	CHECK(lock(fd, F_SETLK, F_UNLCK, 0, 0) == 0);
	CHECK(lock(fd, F_SETLK, F_WRLCK, 10, -4) == 0); /* the four bytes before 10 */
	CHECK(seen_by_other(0, 0, &l) == F_WRLCK && l.l_start == 6 && l.l_len == 4);
	CHECK_ERROR(lock(fd, F_SETLK, F_WRLCK, -1, 5), EINVAL);
	CHECK_ERROR(lock(fd, F_SETLK, F_WRLCK, 3, -4), EINVAL);
	CHECK_ERROR(lock(fd, F_SETLK, F_WRLCK, 0x7ffffffffffffffe, 10), EOVERFLOW);
	CHECK_ERROR(lock(fd, F_SETLK, 9, 0, 0), EINVAL);
}

CASE(record_locks_need_the_right_to_read_or_write)
{
	int r, w;

	file();
	r = open("f", O_RDONLY);
	w = open("f", O_WRONLY);
	CHECK_ERROR(lock(r, F_SETLK, F_WRLCK, 0, 0), EBADF);
	CHECK_ERROR(lock(w, F_SETLK, F_RDLCK, 0, 0), EBADF);
	CHECK(lock(r, F_SETLK, F_RDLCK, 0, 0) == 0 && lock(w, F_SETLK, F_WRLCK, 0, 0) == 0);
	CHECK_ERROR(fcntl(fd, F_SETLK, (void *)8), EFAULT);
	CHECK_ERROR(lock(99, F_SETLK, F_RDLCK, 0, 0), EBADF);
}

CASE(record_locks_are_not_inherited_by_fork)
{
	file();
	CHECK(lock(fd, F_SETLK, F_WRLCK, 0, 0) == 0);
	if (fork() == 0)
		_exit(lock(fd, F_SETLK, F_WRLCK, 0, 1) == -1 && errno == EAGAIN ? 0 : 1);
	int status;
	wait(&status);
	CHECK(status == 0);
}

CASE(record_locks_end_with_any_close_and_with_the_process)
{
	struct flock l;
	int other;

	file();
	other = open("f", O_RDONLY);
	CHECK(lock(fd, F_SETLK, F_WRLCK, 0, 0) == 0 && seen_by_other(0, 0, &l) == F_WRLCK);
	close(other);
	CHECK(seen_by_other(0, 0, &l) == F_UNLCK);
	if (fork() == 0)
		_exit(lock(fd, F_SETLK, F_WRLCK, 0, 0) != 0);
	wait(NULL);
	CHECK(lock(fd, F_SETLK, F_WRLCK, 0, 0) == 0);
}

CASE(waiting_for_a_record_lock_ends_when_it_is_free)
{
	int p[2], q[2];
	char c;

	file();
	CHECK(pipe(p) == 0 && pipe(q) == 0);
	if (fork() == 0) {
		if (lock(fd, F_SETLK, F_WRLCK, 0, 0) || write(p[1], "1", 1) != 1)
			_exit(1);
		usleep(100000);
		write(q[1], "u", 1);
		_exit(0);
	}
	CHECK(read(p[0], &c, 1) == 1);
	CHECK(lock(fd, F_SETLKW, F_WRLCK, 0, 0) == 0);
	CHECK(fcntl(q[0], F_SETFL, O_NONBLOCK) == 0 && read(q[0], &c, 1) == 1);
}

static void nothing(int sig)
{
	(void)sig;
}

CASE(waiting_for_a_record_lock_is_interrupted)
{
	struct sigaction sa = {.sa_handler = nothing};
	int p[2];
	char c;
	pid_t pid;

	file();
	CHECK(pipe(p) == 0);
	pid = fork();
	if (pid == 0) {
		if (lock(fd, F_SETLK, F_WRLCK, 0, 0) || write(p[1], "1", 1) != 1)
			_exit(1);
		pause();
	}
	CHECK(read(p[0], &c, 1) == 1);
	sigaction(SIGALRM, &sa, NULL);
	ualarm(50000, 0);
	CHECK_ERROR(lock(fd, F_SETLKW, F_WRLCK, 0, 0), EINTR);
	kill(pid, SIGKILL);
}

CASE(circle_of_waits_is_edeadlk)
{
	int p[2], status;
	char c;
	pid_t pid;

	file();
	CHECK(pipe(p) == 0);
	CHECK(lock(fd, F_SETLK, F_WRLCK, 0, 1) == 0);
	pid = fork();
	if (pid == 0) {
		if (lock(fd, F_SETLK, F_WRLCK, 1, 1) || write(p[1], "1", 1) != 1)
			_exit(1);
		_exit(lock(fd, F_SETLKW, F_WRLCK, 0, 1) != 0);
	}
	CHECK(read(p[0], &c, 1) == 1);
	usleep(100000);
	CHECK_ERROR(lock(fd, F_SETLKW, F_WRLCK, 1, 1), EDEADLK);
	CHECK(lock(fd, F_SETLK, F_UNLCK, 0, 0) == 0);
	CHECK(waitpid(pid, &status, 0) == pid && status == 0);
}

CASE(open_file_locks_are_of_the_open_file)
{
	struct flock l = {.l_type = F_WRLCK};
	int other, copy;

	file();
	other = open("f", O_RDWR);
	copy = dup(fd);
	CHECK(lock(fd, F_OFD_SETLK, F_WRLCK, 0, 10) == 0);
	CHECK_ERROR(lock(other, F_OFD_SETLK, F_RDLCK, 5, 1), EAGAIN);
	CHECK(lock(copy, F_OFD_SETLK, F_WRLCK, 5, 10) == 0);
	CHECK(fcntl(other, F_OFD_GETLK, &l) == 0 && l.l_type == F_WRLCK && l.l_pid == -1);
	CHECK(l.l_start == 0 && l.l_len == 15);
	close(open("f", O_RDONLY)); /* does not end them */
	CHECK_ERROR(lock(other, F_OFD_SETLK, F_RDLCK, 5, 1), EAGAIN);
	close(fd);
	close(copy);
	CHECK(lock(other, F_OFD_SETLK, F_WRLCK, 0, 0) == 0);
}

CASE(open_file_locks_and_record_locks_conflict)
{
	struct flock l = {.l_type = F_WRLCK, .l_pid = 5};

	file();
	CHECK(lock(fd, F_OFD_SETLK, F_WRLCK, 0, 0) == 0);
	CHECK_ERROR(lock(fd, F_SETLK, F_RDLCK, 0, 1), EAGAIN);
	CHECK_ERROR(fcntl(fd, F_OFD_SETLK, &l), EINVAL); /* l_pid must be 0 */
}

CASE(flock_is_inherited_and_shared_by_copies)
{
	int other, status;

	file();
	other = open("f", O_RDWR);
	CHECK(flock(fd, LOCK_EX) == 0);
	if (fork() == 0) {
		if (flock(fd, LOCK_EX | LOCK_NB)) /* has it */
			_exit(1);
		_exit(flock(other, LOCK_SH | LOCK_NB) == -1 && errno == EAGAIN ? 0 : 2);
	}
	wait(&status);
	CHECK(status == 0);
	if (fork() == 0)
		_exit(flock(fd, LOCK_UN));
	wait(NULL);
	CHECK(flock(other, LOCK_EX | LOCK_NB) == 0); /* the child gave it up for both */
}

CASE(flock_converts_and_minds_its_arguments)
{
	int other;

	file();
	other = open("f", O_RDONLY);
	CHECK(flock(fd, LOCK_SH) == 0 && flock(other, LOCK_SH) == 0);
	CHECK_ERROR(flock(fd, LOCK_EX | LOCK_NB), EWOULDBLOCK);
	CHECK(flock(other, LOCK_UN) == 0 && flock(fd, LOCK_EX | LOCK_NB) == 0);
	CHECK_ERROR(flock(fd, 0), EINVAL);
	CHECK_ERROR(flock(fd, LOCK_SH | LOCK_EX), EINVAL);
	CHECK_ERROR(flock(open("f", O_PATH), LOCK_SH), EBADF);
	CHECK(lock(fd, F_SETLK, F_WRLCK, 0, 0) == 0); /* of another kind: no conflict */
}

CASE(flock_waits_until_the_last_copy_is_closed)
{
	int other;
	pid_t pid;

	file();
	other = open("f", O_RDWR);
	CHECK(flock(fd, LOCK_EX) == 0);
	pid = fork();
	if (pid == 0) {
		close(other);
		usleep(100000);
		_exit(0);
	}
	close(fd);
	CHECK_ERROR(flock(other, LOCK_EX | LOCK_NB), EWOULDBLOCK);
	CHECK(flock(other, LOCK_EX) == 0);
	CHECK(waitpid(pid, NULL, 0) == pid);
}
