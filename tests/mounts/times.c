/*
 * Time namespaces: offsets of clocks, who is in one, what goes by them.
 */
#include "place.h"

#include <linux/sched.h>
#include <signal.h>
#include <sys/sysinfo.h>
#include <sys/timerfd.h>
#include <time.h>

#define NEWTIME   0x80
#define NR_clone3 435
#define AHEAD_S   1000000
#define BOOT_S    2000000

static int64_t by_call(int clock)
{
	struct timespec ts = {0};

	CHECK(syscall(SYS_clock_gettime, clock, &ts) == 0);
	return ts.tv_sec;
}

static int64_t by_library(int clock)
{
	struct timespec ts = {0};

	CHECK(clock_gettime(clock, &ts) == 0);
	return ts.tv_sec;
}

/* Write into timens_offsets; 0 or the error. */
static int set_offsets(const char *text)
{
	int fd = open("/proc/self/timens_offsets", O_WRONLY);
	ssize_t n;

	CHECK(fd >= 0);
	n = write(fd, text, strlen(text));
	n = n == (ssize_t)strlen(text) ? 0 : errno;
	close(fd);
	return (int)n;
}

static int64_t monotonic_before;

static void begin(void)
{
	monotonic_before = by_call(CLOCK_MONOTONIC);
	CHECK(unshare(NEWTIME) == 0);
	CHECK(set_offsets("monotonic 1000000 0\nboottime 2000000 0\n") == 0);
}

/* The exit status of a child, which is in the namespace. */
static int inside(void (*fn)(void))
{
	int status;
	pid_t pid = fork();

	if (pid == 0) {
		fn();
		_exit(0);
	}
	return pid < 0 || waitpid(pid, &status, 0) != pid ? -1 : status;
}

static bool is_near(int64_t seconds, int64_t want)
{
	return seconds >= want && seconds < want + 30;
}

static ino_t file_of(const char *name)
{
	char path[64];
	struct stat st;

	snprintf(path, sizeof(path), "/proc/self/ns/%s", name);
	CHECK(stat(path, &st) == 0);
	return st.st_ino;
}

CASE(offsets_are_zero_at_first)
{
	char text[100] = "";
	int fd = open("/proc/self/timens_offsets", O_RDONLY);

	CHECK(fd >= 0 && read(fd, text, sizeof(text) - 1) > 0);
	CHECK(!strcmp(text, "monotonic           0         0\nboottime            0         0\n"));
}

CASE(unshare_leaves_the_caller_where_it_is)
{
	ino_t own = file_of("time");

	CHECK(own == file_of("time_for_children"));
	begin();
	CHECK(file_of("time") == own && file_of("time_for_children") != own);
	CHECK(is_near(by_call(CLOCK_MONOTONIC), monotonic_before));
	CHECK(is_near(by_library(CLOCK_MONOTONIC), monotonic_before));
}

static void clocks_ahead(void)
{
	CHECK(is_near(by_call(CLOCK_MONOTONIC), monotonic_before + AHEAD_S));
	/* Nothing corrects the raw clock. */
	CHECK(is_near(by_call(CLOCK_MONOTONIC_RAW), monotonic_before + AHEAD_S - 9));
	CHECK(is_near(by_call(CLOCK_MONOTONIC_COARSE), monotonic_before + AHEAD_S - 1));
	CHECK(is_near(by_call(CLOCK_BOOTTIME), monotonic_before + BOOT_S));
}

CASE(clocks_of_children_are_ahead)
{
	begin();
	CHECK(inside(clocks_ahead) == 0);
}

static void library_ahead(void)
{
	CHECK(is_near(by_library(CLOCK_MONOTONIC), monotonic_before + AHEAD_S));
	CHECK(is_near(by_library(CLOCK_MONOTONIC_COARSE), monotonic_before + AHEAD_S - 1));
	CHECK(is_near(by_library(CLOCK_BOOTTIME), monotonic_before + BOOT_S));
}

CASE(the_vdso_tells_the_same)
{
	begin();
	CHECK(inside(library_ahead) == 0);
}

static int64_t real_before;

static void real_time(void)
{
	CHECK(is_near(by_call(CLOCK_REALTIME), real_before));
	CHECK(is_near(by_library(CLOCK_REALTIME), real_before));
	CHECK(is_near(time(NULL), real_before));
}

CASE(real_time_is_the_same_for_all)
{
	real_before = by_call(CLOCK_REALTIME);
	begin();
	CHECK(inside(real_time) == 0);
}

static void is_in(void)
{
	CHECK(file_of("time") == file_of("time_for_children"));
	CHECK(set_offsets("monotonic 5 0\n") == EACCES);
}

CASE(offsets_are_fixed_once_somebody_is_in)
{
	begin();
	CHECK(set_offsets("monotonic 1000000 0\n") == 0);
	CHECK(inside(is_in) == 0);
	CHECK(set_offsets("monotonic 5 0\n") == EACCES);
}

CASE(offsets_of_the_first_are_fixed)
{
	CHECK(set_offsets("monotonic 5 0\n") == EACCES);
}

CASE(bad_offsets)
{
	CHECK(unshare(NEWTIME) == 0);
	CHECK(set_offsets("monotonic 5\n") == EINVAL);
	CHECK(set_offsets("realtime 5 0\n") == EINVAL);
	CHECK(set_offsets("monotonic 5 1000000000\n") == EINVAL);
	CHECK(set_offsets("monotonic -999999999 0\n") == ERANGE);
	CHECK(set_offsets("monotonic 9000000000 0\n") == ERANGE);
	CHECK(set_offsets("1 5 0\n") == 0);
	CHECK(set_offsets("7 5 500000000\n") == 0);
}

static void sleep_absolute(void)
{
	struct timespec ts, now;

	CHECK(syscall(SYS_clock_gettime, CLOCK_MONOTONIC, &ts) == 0);
	ts.tv_nsec += 20000000;
	if (ts.tv_nsec >= 1000000000) {
		ts.tv_sec++;
		ts.tv_nsec -= 1000000000;
	}
	CHECK(clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &ts, NULL) == 0);
	CHECK(syscall(SYS_clock_gettime, CLOCK_MONOTONIC, &now) == 0);
	CHECK(now.tv_sec > ts.tv_sec || (now.tv_sec == ts.tv_sec && now.tv_nsec >= ts.tv_nsec));
	/* Before the namespace began: over at once. */
	ts.tv_sec = 1;
	CHECK(clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &ts, NULL) == 0);
}

CASE(absolute_sleep_goes_by_the_namespaces_clock)
{
	begin();
	CHECK(inside(sleep_absolute) == 0);
}

static void timer_absolute(void)
{
	struct itimerspec at = {.it_value = {by_call(CLOCK_BOOTTIME) + 1, 0}}, left;
	int fd = timerfd_create(CLOCK_BOOTTIME, 0);
	uint64_t n = 0;

	CHECK(fd >= 0 && timerfd_settime(fd, TFD_TIMER_ABSTIME, &at, NULL) == 0);
	CHECK(timerfd_gettime(fd, &left) == 0 && left.it_value.tv_sec <= 1);
	CHECK(read(fd, &n, sizeof(n)) == sizeof(n) && n == 1);
}

CASE(absolute_timers_go_by_the_namespaces_clock)
{
	begin();
	CHECK(inside(timer_absolute) == 0);
}

static void since_boot(void)
{
	struct sysinfo info;
	double seconds = 0;
	FILE *f = fopen("/proc/uptime", "r");

	CHECK(f && fscanf(f, "%lf", &seconds) == 1);
	CHECK(is_near((int64_t)seconds, monotonic_before + BOOT_S - 1));
	CHECK(sysinfo(&info) == 0 && is_near(info.uptime, monotonic_before + BOOT_S - 1));
}

CASE(uptime_is_that_of_the_namespace)
{
	begin();
	CHECK(inside(since_boot) == 0);
}

CASE(setns_enters_at_once)
{
	int fd;

	begin();
	fd = open("/proc/self/ns/time_for_children", O_RDONLY);
	CHECK(fd >= 0 && setns(fd, NEWTIME) == 0);
	clocks_ahead();
	library_ahead();
	CHECK(file_of("time") == file_of("time_for_children"));
}

CASE(clone3_makes_a_child_in_a_new_namespace)
{
	struct clone_args args = {.flags = NEWTIME, .exit_signal = SIGCHLD};
	ino_t own = file_of("time");
	int status;
	pid_t pid = (pid_t)syscall(NR_clone3, &args, sizeof(args));

	if (pid == 0)
		_exit(file_of("time") != own && file_of("time_for_children") != own ? 0 : 1);
	CHECK(pid > 0 && waitpid(pid, &status, 0) == pid && status == 0);
	CHECK(file_of("time_for_children") == own);
}

static void nested(void)
{
	CHECK(unshare(NEWTIME) == 0);
	/* It begins with the offsets of the one it is made from. */
	CHECK(inside(clocks_ahead) == 0);
}

CASE(namespaces_begin_with_the_offsets_of_their_maker)
{
	begin();
	CHECK(inside(nested) == 0);
}

CASE(vfork_stays_and_exec_enters)
{
	char *argv[] = {"/proc/self/exe", "--time", NULL};
	int status;
	pid_t pid;

	begin();
	pid = vfork();
	if (pid == 0) {
		if (!is_near(by_call(CLOCK_MONOTONIC), monotonic_before))
			_exit(9);
		execv(argv[0], argv);
		_exit(10);
	}
	CHECK(waitpid(pid, &status, 0) == pid && WEXITSTATUS(status) == 77);
}

/* As this program is started by exec above. */
__attribute__((constructor(101))) static void started_again(int argc, char **argv)
{
	if (argc == 2 && !strcmp(argv[1], "--time"))
		_exit(by_call(CLOCK_MONOTONIC) >= AHEAD_S && by_library(CLOCK_MONOTONIC) >= AHEAD_S
			      ? 77
			      : 1);
}

CASE(time_namespaces_need_privilege)
{
	CHECK(setresuid(1000, 1000, 1000) == 0);
	CHECK_ERROR(unshare(NEWTIME), EPERM);
}
