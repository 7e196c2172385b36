/* Calls that few programs make by themselves, each once: ids, classes of scheduling, old names. */
#include "check.h"

#include <fcntl.h>
#include <limits.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/fsuid.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#ifndef SYS_faccessat2
#define SYS_faccessat2 439
#endif
/* linux/membarrier.h, which musl's programs do not find. */
#define MEMBARRIER_CMD_QUERY                      0
#define MEMBARRIER_CMD_PRIVATE_EXPEDITED          8
#define MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED 16

/* A folder of this case's own, and the working directory. */
static void own_folder(void)
{
	char name[] = "/tmp/sundry-XXXXXX";

	CHECK(mkdtemp(name) != NULL && chdir(name) == 0);
}

static struct stat stat_of(const char *path)
{
	struct stat st;

	CHECK(lstat(path, &st) == 0);
	return st;
}

CASE(creat_truncates_and_opens_for_writing)
{
	char c;
	int fd;

	own_folder();
	fd = (int)syscall(SYS_creat, "f", 0600);
	CHECK(fd >= 0 && write(fd, "abc", 3) == 3);
	CHECK_ERROR(read(fd, &c, 1), EBADF);
	CHECK(syscall(SYS_creat, "f", 0600) >= 0);
	CHECK(stat_of("f").st_size == 0);
}

CASE(lchown_changes_the_link_itself)
{
	own_folder();
	CHECK(symlink("nothing", "l") == 0);
	if (geteuid() == 0) {
		CHECK(syscall(SYS_lchown, "l", 7, 8) == 0);
		CHECK(stat_of("l").st_uid == 7 && stat_of("l").st_gid == 8);
	}
	CHECK_ERROR(chown("l", 7, 8), ENOENT);
}

CASE(names_at_folders_are_made_and_removed)
{
	int dir;

	own_folder();
	CHECK(mkdir("d", 0700) == 0);
	dir = open("d", O_PATH | O_DIRECTORY);
	CHECK(dir >= 0);
	CHECK(syscall(SYS_mknodat, dir, "fifo", S_IFIFO | 0600, 0) == 0);
	CHECK(S_ISFIFO(stat_of("d/fifo").st_mode));
	CHECK(syscall(SYS_symlinkat, "fifo", dir, "l") == 0);
	CHECK(S_ISLNK(stat_of("d/l").st_mode));
	CHECK(syscall(SYS_renameat, dir, "l", dir, "m") == 0);
	CHECK_ERROR(syscall(SYS_unlinkat, dir, "l", 0), ENOENT);
	CHECK(syscall(SYS_unlinkat, dir, "m", 0) == 0);
	CHECK_ERROR(syscall(SYS_unlinkat, AT_FDCWD, "d", AT_REMOVEDIR), ENOTEMPTY);
	CHECK(syscall(SYS_unlinkat, dir, "fifo", 0) == 0);
	CHECK(syscall(SYS_unlinkat, AT_FDCWD, "d", AT_REMOVEDIR) == 0);
}

CASE(modes_change_by_folder_and_name)
{
	own_folder();
	CHECK(close(open("f", O_CREAT | O_WRONLY, 0600)) == 0);
	CHECK(symlink("f", "l") == 0);
	CHECK(syscall(SYS_fchmodat, AT_FDCWD, "l", 0640) == 0);
	CHECK((stat_of("f").st_mode & 07777) == 0640);
}

CASE(faccessat2_asks_for_effective_ids)
{
	own_folder();
	CHECK(close(open("f", O_CREAT | O_WRONLY, 0400)) == 0);
	CHECK(syscall(SYS_faccessat2, AT_FDCWD, "f", R_OK, AT_EACCESS) == 0);
	CHECK_ERROR(syscall(SYS_faccessat2, AT_FDCWD, "f", X_OK, AT_EACCESS), EACCES);
	CHECK_ERROR(syscall(SYS_faccessat2, AT_FDCWD, "f", R_OK, 0x8000), EINVAL);
}

CASE(futimesat_sets_microseconds)
{
	struct timeval tv[2] = {{1000, 5}, {2000, 7}};

	own_folder();
	CHECK(close(open("f", O_CREAT | O_WRONLY, 0600)) == 0);
	CHECK(syscall(SYS_futimesat, AT_FDCWD, "f", tv) == 0);
	CHECK(stat_of("f").st_mtim.tv_sec == 2000 && stat_of("f").st_mtim.tv_nsec == 7000);
	tv[0].tv_usec = 1000000;
	CHECK_ERROR(syscall(SYS_futimesat, AT_FDCWD, "f", tv), EINVAL);
}

CASE(pwritev_writes_where_it_is_told)
{
	struct iovec v[2] = {{"ab", 2}, {"cd", 2}};
	char buf[8] = "";
	int fd;

	own_folder();
	fd = open("f", O_CREAT | O_RDWR, 0600);
	CHECK(pwritev(fd, v, 2, 3) == 4);
	CHECK(lseek(fd, 0, SEEK_CUR) == 0);
	CHECK(pread(fd, buf, 8, 0) == 7 && memcmp(buf, "\0\0\0abcd", 7) == 0);
	CHECK_ERROR(pwritev(fd, v, 2, -1), EINVAL);
}

CASE(fadvise_knows_its_advice)
{
	int fd, p[2];

	own_folder();
	fd = open("f", O_CREAT | O_RDWR, 0600);
	CHECK(syscall(SYS_fadvise64, fd, 0, 0, POSIX_FADV_DONTNEED) == 0);
	CHECK_ERROR(syscall(SYS_fadvise64, fd, 0, 0, 99), EINVAL);
	CHECK(pipe(p) == 0);
	CHECK_ERROR(syscall(SYS_fadvise64, p[0], 0, 0, POSIX_FADV_NORMAL), ESPIPE);
	CHECK(syscall(SYS_sync) == 0);
}

CASE(time_of_day_is_the_real_time_clock)
{
	struct timeval tv;
	struct timespec ts;
	time_t t;

	CHECK(syscall(SYS_gettimeofday, &tv, NULL) == 0);
	CHECK(clock_gettime(CLOCK_REALTIME, &ts) == 0);
	CHECK(ts.tv_sec - tv.tv_sec >= 0 && ts.tv_sec - tv.tv_sec <= 2);
	CHECK(syscall(SYS_time, &t) == t && t - tv.tv_sec <= 2);
}

static void become_nobody(void *arg)
{
	struct timeval tv = {0, 0};

	(void)arg;
	CHECK(setgid(65534) == 0 && setuid(65534) == 0);
	CHECK_ERROR(syscall(SYS_settimeofday, &tv, NULL), EPERM);
	CHECK_ERROR(syscall(SYS_setdomainname, "x", 1), EPERM);
	CHECK_ERROR(syscall(SYS_reboot, 0xfee1dead, 672274793, 0x1234567, NULL), EPERM);
	CHECK_ERROR(syscall(SYS_setreuid, 0, -1), EPERM);
	CHECK_ERROR(syscall(SYS_setregid, 0, -1), EPERM);
	_exit(0);
}

CASE(what_needs_privilege_is_eperm_without)
{
	if (geteuid() == 0)
		CHECK(in_child(become_nobody, NULL) == 0);
}

CASE(settimeofday_refuses_a_second_of_microseconds)
{
	struct timeval tv = {1, 1000000};

	CHECK_ERROR(syscall(SYS_settimeofday, &tv, NULL), EINVAL);
}

static void change_ids(void *arg)
{
	gid_t r, e, s;

	(void)arg;
	CHECK(setfsuid(5) == 0 && setfsuid(-1) == 5);
	CHECK(setfsgid(6) == 0 && setfsgid(-1) == 6);
	CHECK(setregid(7, 8) == 0);
	CHECK(getresgid(&r, &e, &s) == 0 && r == 7 && e == 8 && s == 8);
	CHECK(setreuid(9, 10) == 0 && getuid() == 9 && geteuid() == 10);
	CHECK(setfsuid(-1) == 10);
	CHECK(setreuid(10, 9) == 0 && getuid() == 10 && geteuid() == 9);
	_exit(0);
}

CASE(real_effective_and_file_ids_change_as_told)
{
	if (geteuid() == 0)
		CHECK(in_child(change_ids, NULL) == 0);
}

CASE(priorities_of_classes_have_their_bounds)
{
	struct timespec ts;

	CHECK(sched_get_priority_max(SCHED_FIFO) == 99 && sched_get_priority_min(SCHED_RR) == 1);
	CHECK(sched_get_priority_max(SCHED_OTHER) == 0 && sched_get_priority_min(SCHED_BATCH) == 0);
	CHECK_ERROR(sched_get_priority_max(77), EINVAL);
	CHECK(sched_rr_get_interval(0, &ts) == 0 && ts.tv_sec == 0 && ts.tv_nsec >= 0);
	CHECK_ERROR(sched_rr_get_interval(-1, &ts), EINVAL);
}

static void set_parameters(void *arg)
{
	struct sched_param p = {.sched_priority = 7};
	struct {
		uint32_t size, policy;
		uint64_t flags;
		int32_t nice;
		uint32_t priority;
		uint64_t more[3];
	} attr = {.size = 48, .policy = SCHED_BATCH, .nice = 5};

	(void)arg;
	CHECK_ERROR(syscall(SYS_sched_setparam, 0, &p), EINVAL);
	CHECK(syscall(SYS_sched_setattr, 0, &attr, 0) == 0);
	memset(&attr, 0, sizeof(attr));
	CHECK(syscall(SYS_sched_getattr, 0, &attr, 48, 0) == 0);
	CHECK(attr.size == 48 && attr.policy == SCHED_BATCH && attr.nice == 5);
	CHECK_ERROR(syscall(SYS_sched_setattr, 0, &attr, 1), EINVAL);
	CHECK_ERROR(syscall(SYS_sched_getattr, 0, &attr, 8, 0), EINVAL);
	_exit(0);
}

CASE(class_and_nice_are_set_together)
{
	CHECK(in_child(set_parameters, NULL) == 0);
}

CASE(own_processor_is_one_that_is_allowed)
{
	unsigned int cpu = ~0u, node = ~0u;
	cpu_set_t set;

	CHECK(sched_getaffinity(0, sizeof(set), &set) == 0 && CPU_COUNT(&set) > 0);
	CHECK(syscall(SYS_getcpu, &cpu, &node, NULL) == 0);
	CHECK(cpu < CPU_SETSIZE && CPU_ISSET(cpu, &set) && node < 64);
	CHECK_ERROR(syscall(SYS_sched_getaffinity, 0, 1, &set), EINVAL);
}

static volatile sig_atomic_t got;
static volatile siginfo_t last; /* syscall(2) is "leaf" to the compiler */

static void note(int sig, siginfo_t *info, void *context)
{
	(void)context;
	got = sig;
	last = *info;
}

CASE(signals_go_to_one_thread_by_number)
{
	struct sigaction sa = {.sa_sigaction = note, .sa_flags = SA_SIGINFO};
	siginfo_t info = {.si_code = SI_QUEUE};

	CHECK(sigaction(SIGUSR1, &sa, NULL) == 0);
	CHECK(syscall(SYS_tkill, syscall(SYS_gettid), SIGUSR1) == 0);
	CHECK(got == SIGUSR1 && last.si_code == SI_TKILL && last.si_pid == getpid());
	info.si_value.sival_int = 77;
	CHECK(syscall(SYS_rt_tgsigqueueinfo, getpid(), syscall(SYS_gettid), SIGUSR1, &info) == 0);
	CHECK(last.si_code == SI_QUEUE && last.si_value.sival_int == 77);
	CHECK_ERROR(syscall(SYS_tkill, 0, SIGUSR1), EINVAL);
}

CASE(the_robust_list_is_what_was_set)
{
	struct {
		void *next;
		long offset;
		void *pending;
	} head = {&head, 0, NULL};
	void *got_head;
	size_t len;

	CHECK(syscall(SYS_set_robust_list, &head, sizeof(head)) == 0);
	CHECK(syscall(SYS_get_robust_list, 0, &got_head, &len) == 0);
	CHECK(got_head == &head && len == sizeof(head));
	CHECK_ERROR(syscall(SYS_set_robust_list, &head, 1), EINVAL);
}

CASE(barriers_must_be_registered)
{
	long known = syscall(SYS_membarrier, MEMBARRIER_CMD_QUERY, 0, 0);

	CHECK(known > 0 && (known & MEMBARRIER_CMD_PRIVATE_EXPEDITED));
	CHECK_ERROR(syscall(SYS_membarrier, MEMBARRIER_CMD_PRIVATE_EXPEDITED, 0, 0), EPERM);
	CHECK(syscall(SYS_membarrier, MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED, 0, 0) == 0);
	CHECK(syscall(SYS_membarrier, MEMBARRIER_CMD_PRIVATE_EXPEDITED, 0, 0) == 0);
	CHECK_ERROR(syscall(SYS_membarrier, 1 << 30, 0, 0), EINVAL);
	CHECK_ERROR(syscall(SYS_membarrier, MEMBARRIER_CMD_PRIVATE_EXPEDITED, 1, 0), EINVAL);
}

static void execute_descriptor(void *arg)
{
	char *argv[] = {"sundry", "--nothing-to-run", NULL}, *envp[] = {NULL};

	(void)arg;
	CHECK_ERROR(syscall(SYS_execveat, AT_FDCWD, "", argv, envp, 0), ENOENT);
	CHECK_ERROR(syscall(SYS_execveat, open("/", O_PATH), "", argv, envp, AT_EMPTY_PATH),
		    EACCES);
	syscall(SYS_execveat, open("/proc/self/exe", O_PATH), "", argv, envp, AT_EMPTY_PATH);
	_exit(99);
}

CASE(execveat_runs_a_descriptor)
{
	int status = in_child(execute_descriptor, NULL);

	CHECK(WIFEXITED(status) && WEXITSTATUS(status) != 99);
}
