/* Advice about memory, locking, sealing, moving: what lies beside mmap. */
#include "check.h"

#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#define PAGE        4096ul
#define HUGE        (2ul << 20)

#define ADV_FREE    8
#define ADV_REMOVE  9
#define ADV_WIPE    18
#define ADV_KEEP    19
#define ADV_COLD    20
#define ADV_PAGEOUT 21
#define ADV_READ    22
#define ADV_WRITE   23

static sigjmp_buf after_fault;
static siginfo_t fault;

static void on_fault(int sig, siginfo_t *info, void *context)
{
	(void)sig;
	(void)context;
	fault = *info;
	siglongjmp(after_fault, 1);
}

static int touch(volatile char *p, int write)
{
	struct sigaction sa = {.sa_sigaction = on_fault, .sa_flags = SA_SIGINFO};

	sigaction(SIGSEGV, &sa, NULL);
	sigaction(SIGBUS, &sa, NULL);
	fault.si_signo = 0;
	if (sigsetjmp(after_fault, 1) == 0) {
		if (write)
			*p = 1;
		else
			(void)*p;
	}
	return fault.si_signo;
}

static char *map(size_t pages, int prot, int flags)
{
	char *p = mmap(NULL, pages * PAGE, prot, flags | MAP_ANONYMOUS, -1, 0);

	CHECK(p != MAP_FAILED);
	return p;
}

static char *map_private(size_t pages)
{
	return map(pages, PROT_READ | PROT_WRITE, MAP_PRIVATE);
}

static int status_of(pid_t pid)
{
	int status;

	CHECK(waitpid(pid, &status, 0) == pid);
	return status;
}

/* ---- madvise ---- */

CASE(dontneed_makes_private_memory_zero)
{
	char *p = map_private(3);

	memset(p, 7, 3 * PAGE);
	CHECK(madvise(p + PAGE, PAGE, MADV_DONTNEED) == 0);
	CHECK(p[0] == 7 && p[PAGE] == 0 && p[2 * PAGE] == 7);
}

CASE(dontneed_of_a_shared_mapping_keeps_the_content)
{
	char *p = map(1, PROT_READ | PROT_WRITE, MAP_SHARED);

	*p = 7;
	CHECK(madvise(p, PAGE, MADV_DONTNEED) == 0 && *p == 7);
}

CASE(unknown_advice_is_einval)
{
	char *p = map_private(1);

	CHECK_ERROR(madvise(p, PAGE, 7), EINVAL);
	CHECK_ERROR(madvise(p, PAGE, 99), EINVAL);
	CHECK_ERROR(madvise(p, PAGE, -1), EINVAL);
	CHECK_ERROR(madvise(p + 1, PAGE, MADV_NORMAL), EINVAL);
	CHECK(madvise(p, 0, MADV_NORMAL) == 0);
	CHECK_ERROR(madvise(p, -PAGE, MADV_NORMAL), EINVAL);
}

CASE(advice_about_a_gap_is_enomem_but_given)
{
	char *p = map_private(3);

	memset(p, 7, 3 * PAGE);
	CHECK(munmap(p + PAGE, PAGE) == 0);
	CHECK_ERROR(madvise(p, 3 * PAGE, MADV_DONTNEED), ENOMEM);
	CHECK(p[0] == 0 && p[2 * PAGE] == 0);
}

CASE(free_is_for_private_anonymous_memory)
{
	char *p = map_private(1), *shared = map(1, PROT_READ | PROT_WRITE, MAP_SHARED);

	*p = 7;
	CHECK(madvise(p, PAGE, ADV_FREE) == 0);
	CHECK(*p == 7 || *p == 0);
	*p = 8;
	CHECK(*p == 8);
	CHECK_ERROR(madvise(shared, PAGE, ADV_FREE), EINVAL);
}

CASE(cold_and_pageout_keep_the_content)
{
	char *p = map_private(4);

	memset(p, 7, 4 * PAGE);
	CHECK(madvise(p, 4 * PAGE, ADV_COLD) == 0);
	CHECK(madvise(p, 4 * PAGE, ADV_PAGEOUT) == 0);
	CHECK(p[0] == 7 && p[3 * PAGE] == 7);
}

CASE(dontfork_leaves_a_gap_in_the_child)
{
	char *p = map_private(2);
	pid_t pid;

	CHECK(madvise(p, PAGE, MADV_DONTFORK) == 0);
	pid = fork();
	if (pid == 0)
		_exit(touch(p, 0) != SIGSEGV || touch(p + PAGE, 0) != 0);
	CHECK(status_of(pid) == 0);
	CHECK(madvise(p, PAGE, MADV_DOFORK) == 0);
	pid = fork();
	if (pid == 0)
		_exit(touch(p, 0));
	CHECK(status_of(pid) == 0);
}

CASE(wipeonfork_is_zero_in_the_child)
{
	char *p = map_private(1), *shared = map(1, PROT_READ | PROT_WRITE, MAP_SHARED);
	pid_t pid;

	*p = 7;
	CHECK(madvise(p, PAGE, ADV_WIPE) == 0);
	pid = fork();
	if (pid == 0)
		_exit(*p);
	CHECK(status_of(pid) == 0 && *p == 7);
	CHECK(madvise(p, PAGE, ADV_KEEP) == 0);
	pid = fork();
	if (pid == 0)
		_exit(*p);
	CHECK(WEXITSTATUS(status_of(pid)) == 7);
	CHECK_ERROR(madvise(shared, PAGE, ADV_WIPE), EINVAL);
}

CASE(populate_makes_pages_resident)
{
	char *p = map_private(4);
	unsigned char in[4];

	CHECK(mincore(p, 4 * PAGE, in) == 0 && !(in[0] & 1) && !(in[3] & 1));
	CHECK(madvise(p, 2 * PAGE, ADV_WRITE) == 0);
	CHECK(mincore(p, 4 * PAGE, in) == 0 && in[0] & 1 && in[1] & 1);
	CHECK(madvise(p + 2 * PAGE, 2 * PAGE, ADV_READ) == 0);
	CHECK(mprotect(p, PAGE, PROT_READ) == 0);
	CHECK_ERROR(madvise(p, PAGE, ADV_WRITE), EINVAL);
	CHECK(munmap(p + PAGE, PAGE) == 0);
	CHECK_ERROR(madvise(p, 4 * PAGE, ADV_READ), ENOMEM);
}

CASE(remove_punches_a_hole_in_the_file)
{
	int fd = memfd_create("x", 0);
	char *p;

	CHECK(ftruncate(fd, 2 * PAGE) == 0);
	p = mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	CHECK(p != MAP_FAILED);
	memset(p, 7, 2 * PAGE);
	CHECK(madvise(p, PAGE, ADV_REMOVE) == 0);
	CHECK(p[0] == 0 && p[PAGE] == 7);
	CHECK_ERROR(madvise(map_private(1), PAGE, ADV_REMOVE), EINVAL);
}

CASE(huge_page_advice_is_taken)
{
	char *p = mmap(NULL, 4 * HUGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	char *at = (char *)(((uintptr_t)p + HUGE - 1) & ~(HUGE - 1));

	CHECK(madvise(at, 2 * HUGE, MADV_HUGEPAGE) == 0);
	memset(at, 5, 2 * HUGE);
	CHECK(mprotect(at + PAGE, PAGE, PROT_NONE) == 0);
	CHECK(at[0] == 5 && at[2 * PAGE] == 5 && touch(at + PAGE, 0) == SIGSEGV);
	CHECK(munmap(at + HUGE, PAGE) == 0);
	CHECK(at[HUGE + PAGE] == 5 && at[2 * HUGE - 1] == 5);
	CHECK(madvise(at, PAGE, MADV_NOHUGEPAGE) == 0);
}

CASE(huge_memory_is_copied_on_write_by_a_child)
{
	char *p = mmap(NULL, 4 * HUGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	pid_t pid;

	memset(p, 5, 4 * HUGE);
	pid = fork();
	if (pid == 0) {
		for (size_t i = 0; i < 4 * HUGE; i += PAGE) {
			if (p[i] != 5)
				_exit(1);
			p[i] = 6;
		}
		_exit(0);
	}
	p[HUGE + 5] = 9;
	CHECK(status_of(pid) == 0);
	for (size_t i = 0; i < 4 * HUGE; i += PAGE)
		CHECK(p[i] == 5);
	CHECK(p[HUGE + 5] == 9);
}

/* ---- mlock ---- */

CASE(mlock_makes_pages_resident)
{
	char *p = map_private(4);
	unsigned char in[4];

	CHECK(mlock(p + 1, 2 * PAGE) == 0);
	CHECK(mincore(p, 4 * PAGE, in) == 0 && in[0] & 1 && in[2] & 1);
	CHECK_ERROR(madvise(p, PAGE, MADV_DONTNEED), EINVAL);
	CHECK(munlock(p, 4 * PAGE) == 0);
	CHECK(madvise(p, PAGE, MADV_DONTNEED) == 0);
}

CASE(mlock_of_a_gap_is_enomem)
{
	char *p = map_private(3);

	CHECK(munmap(p + PAGE, PAGE) == 0);
	CHECK_ERROR(mlock(p, 3 * PAGE), ENOMEM);
	CHECK_ERROR(munlock(p, 3 * PAGE), ENOMEM);
	CHECK_ERROR(syscall(SYS_mlock2, p, PAGE, 2), EINVAL);
	CHECK(syscall(SYS_mlock2, p, PAGE, 1) == 0);
}

CASE(memlock_limit_holds_for_the_unprivileged)
{
	char *p = map_private(8);

	CHECK(setrlimit(RLIMIT_MEMLOCK, &(struct rlimit){4 * PAGE, 4 * PAGE}) == 0);
	CHECK(setresuid(1000, 1000, 1000) == 0);
	CHECK(mlock(p, 4 * PAGE) == 0);
	CHECK(mlock(p, 4 * PAGE) == 0); /* the same again is no more */
	CHECK_ERROR(mlock(p + 4 * PAGE, PAGE), ENOMEM);
	CHECK(mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_LOCKED, -1, 0) ==
		      MAP_FAILED &&
	      errno == EAGAIN);
	CHECK_ERROR(mlockall(MCL_CURRENT), ENOMEM);
	CHECK(munlock(p, PAGE) == 0 && mlock(p + 4 * PAGE, PAGE) == 0);
	CHECK(setrlimit(RLIMIT_MEMLOCK, &(struct rlimit){0, 0}) == 0);
	CHECK_ERROR(mlock(p, PAGE), EPERM);
}

CASE(mlockall_locks_what_comes)
{
	unsigned char in;
	char *p;

	CHECK_ERROR(mlockall(0), EINVAL);
	CHECK_ERROR(mlockall(4), EINVAL);
	CHECK_ERROR(mlockall(8), EINVAL);
	CHECK(mlockall(MCL_CURRENT | MCL_FUTURE) == 0);
	p = map_private(1);
	CHECK(mincore(p, PAGE, &in) == 0 && in & 1);
	CHECK(munlockall() == 0);
	p = map_private(1);
	CHECK(mincore(p, PAGE, &in) == 0 && !(in & 1));
}

CASE(locks_are_not_inherited)
{
	char *p = map_private(1);
	pid_t pid;

	CHECK(mlock(p, PAGE) == 0);
	pid = fork();
	if (pid == 0)
		_exit(madvise(p, PAGE, MADV_DONTNEED) != 0);
	CHECK(status_of(pid) == 0);
}

/* ---- mincore, msync ---- */

CASE(mincore_errors)
{
	char *p = map_private(2);
	unsigned char in[2];

	CHECK_ERROR(mincore(p + 1, PAGE, in), EINVAL);
	CHECK_ERROR(mincore(p, 2 * PAGE, (void *)8), EFAULT);
	CHECK(munmap(p, PAGE) == 0);
	CHECK_ERROR(mincore(p, 2 * PAGE, in), ENOMEM);
}

CASE(mincore_sees_the_page_cache)
{
	int fd = memfd_create("x", 0);
	unsigned char in[2] = {0, 0};
	char *p;

	CHECK(ftruncate(fd, 2 * PAGE) == 0 && write(fd, "x", 1) == 1);
	p = mmap(NULL, 2 * PAGE, PROT_READ, MAP_SHARED, fd, 0);
	CHECK(mincore(p, 2 * PAGE, in) == 0);
	CHECK(in[0] & 1 && !(in[1] & 1));
}

CASE(msync_errors)
{
	char *p = map_private(1);

	CHECK(msync(p, PAGE, MS_SYNC) == 0);
	CHECK_ERROR(msync(p, PAGE, MS_SYNC | MS_ASYNC), EINVAL);
	CHECK_ERROR(msync(p, PAGE, 8), EINVAL);
	CHECK_ERROR(msync(p + 1, PAGE, MS_SYNC), EINVAL);
	CHECK(mlock(p, PAGE) == 0);
	CHECK_ERROR(msync(p, PAGE, MS_SYNC | MS_INVALIDATE), EBUSY);
	CHECK(munmap(p, PAGE) == 0);
	CHECK_ERROR(msync(p, PAGE, MS_SYNC), ENOMEM);
}

/* ---- mmap's and mremap's rarer flags ---- */

CASE(populate_flag_makes_pages_resident)
{
	char *p = map(3, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_POPULATE);
	unsigned char in[3];

	CHECK(mincore(p, 3 * PAGE, in) == 0 && in[0] & in[1] & in[2] & 1);
}

CASE(populating_much_makes_all_of_it_resident)
{
	char *p = mmap(NULL, 3 * HUGE, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
	unsigned char in[3 * HUGE / PAGE];

	CHECK(p != MAP_FAILED && mincore(p, 3 * HUGE, in) == 0);
	for (size_t i = 0; i < sizeof(in); i++)
		CHECK(in[i] & 1);
	CHECK(madvise(p, 3 * HUGE, ADV_WRITE) == 0 && mlock(p, 3 * HUGE) == 0);
	memset(p, 1, 3 * HUGE);
	CHECK(mprotect(p, 3 * HUGE, PROT_READ) == 0 && touch(p + HUGE, 1) == SIGSEGV);
}

CASE(shared_validate_refuses_unknown_flags)
{
	int fd = memfd_create("x", 0);

	CHECK(ftruncate(fd, PAGE) == 0);
	CHECK(mmap(NULL, PAGE, PROT_READ, MAP_SHARED_VALIDATE, fd, 0) != MAP_FAILED);
	errno = 0;
	CHECK_ERROR(mmap(NULL, PAGE, PROT_READ, MAP_SHARED_VALIDATE | 0x80000, fd, 0), EOPNOTSUPP);
}

CASE(growsdown_grows_when_touched_below)
{
	char *p = map(64, PROT_NONE, MAP_PRIVATE), *top = p + 60 * PAGE;

	CHECK(munmap(p, 64 * PAGE) == 0);
	CHECK(mmap(top, PAGE, PROT_READ | PROT_WRITE,
		   MAP_PRIVATE | MAP_ANONYMOUS | MAP_GROWSDOWN | MAP_FIXED, -1, 0) == top);
	CHECK(touch(top - PAGE, 1) == 0);
	CHECK(touch(top - 2 * PAGE, 1) == 0);
}

CASE(more_than_there_is_is_refused_at_once)
{
	errno = 0;
	CHECK_ERROR(mmap(NULL, 1ul << 46, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1,
			 0),
		    ENOMEM);
	CHECK(mmap(NULL, 1ul << 40, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) != MAP_FAILED);
	CHECK(mmap(NULL, 1ul << 40, PROT_READ | PROT_WRITE,
		   MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0) != MAP_FAILED);
}

CASE(mremap_dontunmap_leaves_an_empty_mapping)
{
	char *p = map_private(2), *q;

	memset(p, 7, 2 * PAGE);
	q = mremap(p, 2 * PAGE, 2 * PAGE, MREMAP_MAYMOVE | 4, NULL);
	CHECK(q != MAP_FAILED && q != p && q[PAGE] == 7);
	CHECK(touch(p, 0) == 0 && p[PAGE] == 0);
	errno = 0;
	CHECK_ERROR(mremap(p, PAGE, 2 * PAGE, MREMAP_MAYMOVE | 4, NULL), EINVAL);
	CHECK_ERROR(mremap(p, PAGE, PAGE, 4), EINVAL);
}

CASE(mremap_fixed_replaces_what_is_there)
{
	char *p = map_private(2), *to = map_private(2);

	memset(p, 7, 2 * PAGE);
	memset(to, 9, 2 * PAGE);
	CHECK(mremap(p, PAGE, PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, to) == to);
	CHECK(to[0] == 7 && to[PAGE] == 9);
	CHECK(touch(p, 0) == SIGSEGV && p[PAGE] == 7);
	CHECK_ERROR(mremap(to, 2 * PAGE, 2 * PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, to + PAGE),
		    EINVAL);
	CHECK_ERROR(mremap(to, PAGE, PAGE, MREMAP_FIXED, p), EINVAL);
	CHECK_ERROR(mremap(to, PAGE, 0, MREMAP_MAYMOVE), EINVAL);
	CHECK_ERROR(mremap(to + 1, PAGE, PAGE, 0), EINVAL);
}

CASE(mremap_of_old_size_zero_is_a_second_mapping)
{
	char *p = map(1, PROT_READ | PROT_WRITE, MAP_SHARED), *q;

	q = mremap(p, 0, PAGE, MREMAP_MAYMOVE);
	CHECK(q != MAP_FAILED && q != p);
	*p = 5;
	CHECK(*q == 5);
}

CASE(remap_file_pages_changes_the_order)
{
	int fd = memfd_create("x", 0);
	char *p;

	CHECK(ftruncate(fd, 2 * PAGE) == 0);
	p = mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	p[0] = 1;
	p[PAGE] = 2;
	CHECK(syscall(SYS_remap_file_pages, p, PAGE, 0, 1, 0) == 0);
	CHECK(p[0] == 2 && p[PAGE] == 2);
	CHECK_ERROR(syscall(SYS_remap_file_pages, p, PAGE, 1, 1, 0), EINVAL);
	CHECK_ERROR(syscall(SYS_remap_file_pages, map_private(1), PAGE, 0, 0, 0), EINVAL);
}

/* ---- seals of files in memory ---- */

CASE(memfd_is_a_file)
{
	int fd = memfd_create("name", MFD_CLOEXEC);
	char path[64], link[64] = "";
	ssize_t n;

	CHECK(fd >= 0 && fcntl(fd, F_GETFD) == FD_CLOEXEC);
	CHECK(write(fd, "abc", 3) == 3 && lseek(fd, 0, SEEK_END) == 3);
	strcpy(path, "/proc/self/fd/");
	path[14] = (char)('0' + fd);
	path[15] = 0;
	n = readlink(path, link, sizeof(link) - 1);
	CHECK(n > 0 && strcmp(link, "/memfd:name (deleted)") == 0);
	CHECK(fcntl(fd, F_GET_SEALS) == F_SEAL_SEAL);
	CHECK_ERROR(fcntl(fd, F_ADD_SEALS, F_SEAL_GROW), EPERM);
	CHECK_ERROR(memfd_create("x", 0x1000), EINVAL);
	CHECK_ERROR(syscall(SYS_memfd_create, 8, 0), EFAULT);
}

CASE(sealed_size_cannot_change)
{
	int fd = memfd_create("x", MFD_ALLOW_SEALING);

	CHECK(ftruncate(fd, 2 * PAGE) == 0);
	CHECK(fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK) == 0);
	CHECK_ERROR(ftruncate(fd, PAGE), EPERM);
	CHECK(ftruncate(fd, 3 * PAGE) == 0);
	CHECK(fcntl(fd, F_ADD_SEALS, F_SEAL_GROW) == 0);
	CHECK_ERROR(ftruncate(fd, 4 * PAGE), EPERM);
	CHECK_ERROR(pwrite(fd, "x", 1, 3 * PAGE), EPERM);
	CHECK_ERROR(fallocate(fd, 0, 0, 4 * PAGE), EPERM);
	CHECK(pwrite(fd, "x", 1, 3 * PAGE - 1) == 1);
	CHECK(fcntl(fd, F_GET_SEALS) == (F_SEAL_SHRINK | F_SEAL_GROW));
}

CASE(sealed_content_cannot_change)
{
	int fd = memfd_create("x", MFD_ALLOW_SEALING);
	char *p;

	CHECK(ftruncate(fd, PAGE) == 0);
	p = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	CHECK_ERROR(fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE), EBUSY);
	CHECK(munmap(p, PAGE) == 0);
	CHECK(fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE) == 0);
	CHECK_ERROR(write(fd, "x", 1), EPERM);
	CHECK_ERROR(mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0), EPERM);
	p = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);
	CHECK(p != MAP_FAILED && touch(p, 1) == 0);
	CHECK(fcntl(fd, F_ADD_SEALS, F_SEAL_SEAL) == 0);
	CHECK_ERROR(fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK), EPERM);
	CHECK_ERROR(fcntl(fd, F_ADD_SEALS, 0x1000), EINVAL);
}
