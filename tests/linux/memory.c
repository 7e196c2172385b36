/* Memory: mmap, mprotect, mremap, brk, copy-on-write, faults. */
#include "check.h"

#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define PAGE 4096ul

static sigjmp_buf after_fault;
static siginfo_t fault;

static void on_fault(int sig, siginfo_t *info, void *context)
{
	(void)sig;
	(void)context;
	fault = *info;
	siglongjmp(after_fault, 1);
}

static void catch_faults(void)
{
	struct sigaction sa = {.sa_sigaction = on_fault, .sa_flags = SA_SIGINFO};

	sigaction(SIGSEGV, &sa, NULL);
	sigaction(SIGBUS, &sa, NULL);
}

/* The signal that touching @p gives, 0 if none. */
static int touch(volatile char *p, int write)
{
	fault.si_signo = 0;
	if (sigsetjmp(after_fault, 1) == 0) {
		if (write)
			*p = 1;
		else
			(void)*p;
	}
	return fault.si_signo;
}

static char *map(size_t bytes, int prot, int flags)
{
	char *p = mmap(NULL, bytes, prot, flags | MAP_ANONYMOUS, -1, 0);

	CHECK(p != MAP_FAILED);
	return p;
}

static char *map_private(size_t pages)
{
	return map(pages * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE);
}

CASE(anonymous_memory_is_zero)
{
	char *p = map_private(16);

	for (size_t i = 0; i < 16 * PAGE; i++)
		CHECK(p[i] == 0);
}

CASE(unmapped_memory_faults_with_maperr)
{
	char *p = map_private(1);

	catch_faults();
	CHECK(munmap(p, PAGE) == 0);
	CHECK(touch(p, 0) == SIGSEGV);
	CHECK(fault.si_code == SEGV_MAPERR && fault.si_addr == p);
}

CASE(read_only_memory_faults_with_accerr)
{
	char *p = map(PAGE, PROT_READ, MAP_PRIVATE);

	catch_faults();
	CHECK(touch(p, 0) == 0);
	CHECK(touch(p, 1) == SIGSEGV);
	CHECK(fault.si_code == SEGV_ACCERR && fault.si_addr == p);
}

CASE(prot_none_faults_and_comes_back_with_its_content)
{
	char *p = map_private(1);

	catch_faults();
	p[5] = 7;
	CHECK(mprotect(p, PAGE, PROT_NONE) == 0);
	CHECK(touch(p + 5, 0) == SIGSEGV);
	CHECK(mprotect(p, PAGE, PROT_READ) == 0);
	CHECK(p[5] == 7);
	CHECK(touch(p, 1) == SIGSEGV);
}

CASE(memory_without_prot_exec_is_not_executed)
{
	char *p = map_private(1);

	catch_faults();
	*p = (char)0xc3; /* ret */
	fault.si_signo = 0;
	if (sigsetjmp(after_fault, 1) == 0)
		((void (*)(void))p)();
	CHECK(fault.si_signo == SIGSEGV && fault.si_code == SEGV_ACCERR);
	CHECK(mprotect(p, PAGE, PROT_READ | PROT_EXEC) == 0);
	((void (*)(void))p)();
}

CASE(munmap_in_the_middle_splits)
{
	char *p = map_private(3);

	catch_faults();
	p[0] = 1, p[PAGE] = 2, p[2 * PAGE] = 3;
	CHECK(munmap(p + PAGE, PAGE) == 0);
	CHECK(p[0] == 1 && p[2 * PAGE] == 3);
	CHECK(touch(p + PAGE, 0) == SIGSEGV);
	CHECK(munmap(p, 3 * PAGE) == 0);
}

CASE(map_fixed_replaces_and_noreplace_does_not)
{
	char *p = map_private(2);
	int prot = PROT_READ | PROT_WRITE, flags = MAP_PRIVATE | MAP_ANONYMOUS;

	p[0] = 1;
	CHECK(mmap(p, PAGE, prot, flags | MAP_FIXED, -1, 0) == p);
	CHECK(p[0] == 0);
	CHECK_ERROR(mmap(p, PAGE, prot, flags | MAP_FIXED_NOREPLACE, -1, 0), EEXIST);
}

CASE(hint_is_taken_when_free)
{
	char *p = map_private(4);

	CHECK(munmap(p, 4 * PAGE) == 0);
	CHECK(mmap(p, PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == p);
}

CASE(bad_mmap_arguments_are_refused)
{
	int flags = MAP_PRIVATE | MAP_ANONYMOUS;

	CHECK_ERROR(mmap(NULL, 0, PROT_READ, flags, -1, 0), EINVAL);
	CHECK_ERROR(mmap(NULL, PAGE, PROT_READ, MAP_ANONYMOUS, -1, 0), EINVAL);
	CHECK_ERROR(mmap((void *)1, PAGE, PROT_READ, flags | MAP_FIXED, -1, 0), EINVAL);
	CHECK_ERROR(mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE, -1, 0), EBADF);
	CHECK_ERROR(mmap(NULL, (size_t)1 << 60, PROT_READ, flags, -1, 0), ENOMEM);
	CHECK_ERROR(munmap((void *)1, PAGE), EINVAL);
	CHECK_ERROR(munmap(NULL, 0), EINVAL);
	CHECK_ERROR(syscall(SYS_mprotect, 1, PAGE, PROT_READ), EINVAL);
	CHECK_ERROR(mprotect((void *)PAGE, PAGE, PROT_READ), ENOMEM);
}

CASE(private_file_mapping_does_not_change_the_file)
{
	int fd = open("/tmp/private", O_CREAT | O_RDWR | O_TRUNC, 0600);
	char c, *p;

	CHECK(fd >= 0 && write(fd, "abc", 3) == 3);
	p = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);
	CHECK(p != MAP_FAILED && p[0] == 'a');
	p[0] = 'x';
	CHECK(pread(fd, &c, 1, 0) == 1 && c == 'a');
	CHECK(p[3] == 0);
	unlink("/tmp/private");
}

CASE(shared_file_mapping_is_the_file)
{
	int fd = open("/tmp/shared", O_CREAT | O_RDWR | O_TRUNC, 0600);
	char c, *p;

	CHECK(fd >= 0 && ftruncate(fd, 2 * PAGE) == 0);
	p = mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	CHECK(p != MAP_FAILED);
	p[PAGE] = 'x';
	CHECK(pread(fd, &c, 1, PAGE) == 1 && c == 'x');
	CHECK(pwrite(fd, "y", 1, 1) == 1 && p[1] == 'y');
	CHECK(msync(p, PAGE, MS_SYNC) == 0);
	unlink("/tmp/shared");
}

CASE(beyond_the_end_of_a_file_is_sigbus)
{
	int fd = open("/tmp/short", O_CREAT | O_RDWR | O_TRUNC, 0600);
	char *p;

	catch_faults();
	CHECK(fd >= 0 && ftruncate(fd, 10) == 0);
	p = mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	CHECK(p != MAP_FAILED);
	CHECK(touch(p + 100, 0) == 0);
	CHECK(touch(p + PAGE, 0) == SIGBUS);
	CHECK(fault.si_code == BUS_ADRERR);
	unlink("/tmp/short");
}

CASE(cutting_a_mapped_file_takes_its_pages)
{
	int fd = open("/tmp/cut", O_CREAT | O_RDWR | O_TRUNC, 0600);
	char *p;

	catch_faults();
	CHECK(fd >= 0 && ftruncate(fd, 2 * PAGE) == 0);
	p = mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	CHECK(touch(p + PAGE, 1) == 0);
	CHECK(ftruncate(fd, PAGE) == 0);
	CHECK(touch(p + PAGE, 0) == SIGBUS);
	CHECK(touch(p, 0) == 0);
	unlink("/tmp/cut");
}

CASE(shared_write_mapping_wants_a_file_open_for_writing)
{
	int fd = open("/tmp/readonly", O_CREAT | O_RDONLY, 0600);
	char *p;

	CHECK(fd >= 0);
	CHECK_ERROR(mmap(NULL, PAGE, PROT_WRITE, MAP_SHARED, fd, 0), EACCES);
	p = mmap(NULL, PAGE, PROT_READ, MAP_SHARED, fd, 0);
	CHECK(p != MAP_FAILED);
	CHECK_ERROR(mprotect(p, PAGE, PROT_READ | PROT_WRITE), EACCES);
	unlink("/tmp/readonly");
}

CASE(mremap_grows_and_keeps_content)
{
	char *p = map_private(3), *q;

	p[0] = 1, p[PAGE] = 2;
	CHECK(mprotect(p + 2 * PAGE, PAGE, PROT_READ) == 0);
	CHECK_ERROR(mremap(p, 2 * PAGE, 8 * PAGE, 0), ENOMEM);
	q = mremap(p, 2 * PAGE, 8 * PAGE, MREMAP_MAYMOVE);
	CHECK(q != MAP_FAILED);
	CHECK(q[0] == 1 && q[PAGE] == 2 && q[7 * PAGE] == 0);
	CHECK(mremap(q, 8 * PAGE, PAGE, 0) == q);
	CHECK(q[0] == 1);
}

/* By the call itself: musl's sbrk() does nothing. */
CASE(brk_moves_the_end_of_data)
{
	uintptr_t at = (uintptr_t)syscall(SYS_brk, 0), more = at + 3 * PAGE;
	char *p = (char *)at;

	CHECK((uintptr_t)syscall(SYS_brk, more) == more);
	p[0] = 1, p[3 * PAGE - 1] = 2;
	CHECK((uintptr_t)syscall(SYS_brk, at) == at);
	CHECK((uintptr_t)syscall(SYS_brk, at + PAGE) == at + PAGE);
	CHECK(p[0] == 0 || at % PAGE != 0);
	CHECK((uintptr_t)syscall(SYS_brk, 1) == at + PAGE);
}

CASE(dontneed_makes_private_memory_zero)
{
	char *p = map_private(2);

	p[0] = 1, p[PAGE] = 2;
	CHECK(madvise(p, PAGE, MADV_DONTNEED) == 0);
	CHECK(p[0] == 0 && p[PAGE] == 2);
	CHECK_ERROR(madvise(p, PAGE, 12345), EINVAL);
}

CASE(mincore_tells_what_is_touched)
{
	char *p = map_private(3);
	unsigned char vec[3];

	p[PAGE] = 1;
	CHECK(mincore(p, 3 * PAGE, vec) == 0);
	CHECK(!(vec[0] & 1) && (vec[1] & 1) && !(vec[2] & 1));
	munmap(p + 2 * PAGE, PAGE);
	CHECK_ERROR(mincore(p, 3 * PAGE, vec), ENOMEM);
}

static int use_stack(int depth)
{
	volatile char frame[4096];

	frame[0] = (char)depth;
	return depth ? use_stack(depth - 1) + frame[0] : 0;
}

CASE(stack_grows_to_its_limit)
{
	CHECK(use_stack(1000) != -1); /* 4 MiB */
}

static void overflow(void *arg)
{
	(void)arg;
	use_stack(100000);
}

CASE(stack_overflow_is_sigsegv)
{
	int status = in_child(overflow, NULL);

	CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGSEGV);
}

CASE(address_space_limit_is_enomem)
{
	struct rlimit limit = {64 << 20, 64 << 20};

	CHECK(setrlimit(RLIMIT_AS, &limit) == 0);
	CHECK_ERROR(mmap(NULL, 128 << 20, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0), ENOMEM);
}

CASE(wipeonfork_and_dontfork)
{
	char *wiped = map_private(1), *missing = map_private(1);
	unsigned char vec[1];
	pid_t pid;
	int status;

	wiped[0] = 1;
	CHECK(madvise(wiped, PAGE, MADV_WIPEONFORK) == 0);
	CHECK(madvise(missing, PAGE, MADV_DONTFORK) == 0);
	pid = fork();
	if (pid == 0)
		_exit(wiped[0] == 0 && mincore(missing, PAGE, vec) == -1 ? 0 : 1);
	CHECK(waitpid(pid, &status, 0) == pid && status == 0);
	CHECK(wiped[0] == 1);
}

/* Every region that is not the program's. */
CASE(bad_pointers_into_every_region_are_efault)
{
	static const uintptr_t bad[] = {
		0,
		8,
		0x200000,           /* of native domains */
		0x500000000000,     /* of the personality's pages */
		0x600000000000,     /* of monitors */
		0x7ffffffff000,     /* the end of user space */
		0x800000000000,     /* not canonical */
		0xffff800000000000, /* the upper half */
		0xffffffff80000000,
		0xfffffffffffff000,
		0xffffffffffffffff,
	};
	int fds[2];

	CHECK(pipe(fds) == 0);
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		CHECK_ERROR(write(fds[1], (void *)bad[i], 16), EFAULT);
		CHECK_ERROR(syscall(SYS_uname, bad[i]), EFAULT);
		CHECK_ERROR(syscall(SYS_clock_gettime, 1, bad[i]), EFAULT);
		CHECK_ERROR(syscall(SYS_open, bad[i], 0), EFAULT);
		CHECK_ERROR(syscall(SYS_rt_sigaction, SIGUSR1, bad[i] ? bad[i] : 1, NULL, 8),
			    EFAULT);
	}
}

CASE(huge_lengths_are_cut_or_refused)
{
	int fds[2];
	char c;

	CHECK(pipe(fds) == 0);
	CHECK_ERROR(syscall(SYS_write, fds[1], 0x7ffffffff000, SIZE_MAX), EFAULT);
	CHECK_ERROR(syscall(SYS_read, -1, &c, SIZE_MAX), EBADF);
	CHECK_ERROR(munmap((void *)PAGE, SIZE_MAX - PAGE), EINVAL);
}

CASE(copy_on_write_survives_many_generations)
{
	char *p = map_private(64);

	for (size_t i = 0; i < 64; i++)
		p[i * PAGE] = (char)i;
	for (int generation = 0; generation < 5; generation++) {
		int status;
		pid_t pid = fork();

		if (pid) {
			CHECK(waitpid(pid, &status, 0) == pid && status == 0);
			for (size_t i = 0; i < 64; i++)
				CHECK(p[i * PAGE] == (char)(i + (size_t)generation));
			return;
		}
		for (size_t i = 0; i < 64; i++)
			p[i * PAGE]++;
	}
	_exit(0);
}
