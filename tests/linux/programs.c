/* Starting programs, who they run as, and threads. */
#include "check.h"

#include <fcntl.h>
#include <grp.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

static int run_script(const char *text, char *const argv[])
{
	const char *path = "/tmp/case-script";
	int fd = open(path, O_CREAT | O_WRONLY | O_TRUNC, 0755), status;
	pid_t pid;

	CHECK(fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text));
	close(fd);
	pid = fork();
	if (pid == 0) {
		close(1);
		execve(path, argv, environ);
		_exit(errno == ENOENT ? 121 : errno == ENOEXEC ? 122 : errno == ELOOP ? 123 : 124);
	}
	CHECK(waitpid(pid, &status, 0) == pid);
	unlink(path);
	return WEXITSTATUS(status);
}

CASE(script_runs_by_its_interpreter)
{
	char *argv[] = {"x", NULL};

	/* The interpreter is this program, told to run a case that passes. */
	CHECK(run_script("#!/proc/self/exe uname_says_linux\n", argv) == 0);
	CHECK(run_script("#! /proc/self/exe   uname_says_linux  \n", argv) == 0);
}

CASE(script_with_a_bad_interpreter_is_an_error)
{
	char *argv[] = {"x", NULL};

	CHECK(run_script("#!/no/such/interpreter\n", argv) == 121);
	CHECK(run_script("#!\n", argv) == 122);
	CHECK(run_script("#!/tmp/case-script\n", argv) == 123);
}

CASE(uname_says_linux)
{
	struct utsname name;

	CHECK(uname(&name) == 0);
	CHECK(strcmp(name.sysname, "Linux") == 0 && strcmp(name.machine, "x86_64") == 0);
}

CASE(auxiliary_vector_is_true)
{
	const unsigned char *random = (void *)getauxval(AT_RANDOM);
	unsigned sum = 0;

	CHECK(getauxval(AT_PAGESZ) == 4096);
	CHECK(getauxval(AT_UID) == getuid() && getauxval(AT_EGID) == getegid());
	CHECK(getauxval(AT_CLKTCK) == 100 && getauxval(AT_SECURE) == 0);
	CHECK(strcmp((char *)getauxval(AT_PLATFORM), "x86_64") == 0);
	CHECK(getauxval(AT_ENTRY) && getauxval(AT_PHDR) && getauxval(AT_PHNUM));
	for (int i = 0; i < 16; i++)
		sum += random[i];
	CHECK(sum > 0);
}

CASE(arguments_and_environment_arrive)
{
	char *argv[] = {"first", "environment_is_as_given", NULL};
	char *envp[] = {"GIVEN=yes", NULL};
	int status;
	pid_t pid = fork();

	if (pid == 0) {
		close(1);
		execve("/proc/self/exe", argv, envp);
		_exit(1);
	}
	CHECK(waitpid(pid, &status, 0) == pid && status == 0);
}

CASE(environment_is_as_given)
{
	if (environ[0] && strcmp(environ[0], "GIVEN=yes") == 0)
		CHECK(environ[1] == NULL && getenv("PATH") == NULL);
}

CASE(too_many_arguments_are_e2big)
{
	static char long_one[140000];
	char *argv[] = {"x", long_one, NULL};

	memset(long_one, 'a', sizeof(long_one) - 1);
	CHECK_ERROR(execve("/proc/self/exe", argv, environ), E2BIG);
}

CASE(close_on_exec_is_per_descriptor)
{
	int fds[2];

	CHECK(pipe2(fds, O_CLOEXEC) == 0);
	CHECK(fcntl(fds[0], F_GETFD) == FD_CLOEXEC);
	int copy = dup(fds[0]);
	CHECK(fcntl(copy, F_GETFD) == 0);
}

CASE(setuid_gives_privileges_up_for_good)
{
	uid_t real, effective, saved;

	if (getuid() != 0)
		return;
	CHECK(setgroups(0, NULL) == 0);
	CHECK(setresgid(1000, 1000, 1000) == 0);
	CHECK(setuid(1000) == 0);
	CHECK(getresuid(&real, &effective, &saved) == 0);
	CHECK(real == 1000 && effective == 1000 && saved == 1000);
	CHECK_ERROR(setuid(0), EPERM);
	CHECK_ERROR(setresuid(-1, 0, -1), EPERM);
	CHECK_ERROR(setgroups(0, NULL), EPERM);
	CHECK_ERROR(kill(1, SIGTERM), EPERM);
	CHECK_ERROR(sethostname("x", 1), EPERM);
}

CASE(saved_user_id_lets_privileges_come_back)
{
	if (getuid() != 0)
		return;
	CHECK(setresuid(1000, 1000, 0) == 0);
	CHECK(geteuid() == 1000);
	CHECK(seteuid(0) == 0 && geteuid() == 0);
}

CASE(no_new_privs_cannot_be_taken_back)
{
	CHECK(prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 0);
	CHECK(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0);
	CHECK(prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1);
	CHECK_ERROR(prctl(PR_SET_NO_NEW_PRIVS, 0, 0, 0, 0), EINVAL);
}

CASE(supplementary_groups_are_kept)
{
	gid_t groups[3] = {30, 10, 20}, got[3];

	if (getuid() != 0)
		return;
	CHECK(setgroups(3, groups) == 0);
	CHECK(getgroups(0, NULL) == 3);
	CHECK(getgroups(3, got) == 3);
	CHECK_ERROR(getgroups(2, got), EINVAL);
}

CASE(random_bytes_differ)
{
	unsigned char a[32], b[32];

	CHECK(getrandom(a, sizeof(a), 0) == sizeof(a));
	CHECK(getrandom(b, sizeof(b), GRND_NONBLOCK) == sizeof(b));
	CHECK(memcmp(a, b, sizeof(a)) != 0);
	CHECK_ERROR(getrandom(a, sizeof(a), 0x80), EINVAL);
}

CASE(a_call_that_does_not_exist_is_enosys)
{
	CHECK_ERROR(syscall(1000), ENOSYS);
	CHECK_ERROR(syscall(-1), ENOSYS);
}

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t condition = PTHREAD_COND_INITIALIZER;
static long sum, turn;

static void *add(void *arg)
{
	for (int i = 0; i < 1000; i++) {
		pthread_mutex_lock(&mutex);
		sum += (long)arg;
		pthread_mutex_unlock(&mutex);
	}
	return arg;
}

CASE(threads_share_memory_and_locks)
{
	pthread_t threads[8];

	for (long i = 0; i < 8; i++)
		CHECK(pthread_create(&threads[i], NULL, add, (void *)i) == 0);
	for (long i = 0; i < 8; i++) {
		void *result;

		CHECK(pthread_join(threads[i], &result) == 0 && result == (void *)i);
	}
	CHECK(sum == 28000);
}

static void *wait_turn(void *arg)
{
	pthread_mutex_lock(&mutex);
	while (turn != (long)arg)
		pthread_cond_wait(&condition, &mutex);
	turn++;
	pthread_cond_broadcast(&condition);
	pthread_mutex_unlock(&mutex);
	return NULL;
}

CASE(condition_variables_wake_threads_in_turn)
{
	pthread_t threads[5];

	for (long i = 4; i >= 0; i--)
		CHECK(pthread_create(&threads[i], NULL, wait_turn, (void *)i) == 0);
	for (long i = 0; i < 5; i++)
		CHECK(pthread_join(threads[i], NULL) == 0);
	CHECK(turn == 5);
}

static void *sleep_for_ever(void *arg)
{
	for (;;)
		pause();
	return arg;
}

static void exit_with_threads(void *arg)
{
	pthread_t thread;

	(void)arg;
	for (int i = 0; i < 4; i++)
		pthread_create(&thread, NULL, sleep_for_ever, NULL);
	usleep(10000);
	exit(12);
}

CASE(exit_ends_all_threads)
{
	CHECK(in_child(exit_with_threads, NULL) == 12 << 8);
}

static void exec_with_threads(void *arg)
{
	char *argv[] = {"x", "uname_says_linux", NULL};
	pthread_t thread;

	(void)arg;
	for (int i = 0; i < 4; i++)
		pthread_create(&thread, NULL, sleep_for_ever, NULL);
	usleep(10000);
	close(1);
	execv("/proc/self/exe", argv);
}

CASE(exec_ends_all_other_threads)
{
	CHECK(in_child(exec_with_threads, NULL) == 0);
}
