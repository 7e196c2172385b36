/* Mapped files: one copy of a page for read, write and mmap. */
#include "check.h"
#include "scratch.h"

#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define PAGE 4096

static int fd;

static char *map_file(size_t size, int prot, int flags)
{
	char *map;

	scratch();
	fd = open("f", O_RDWR | O_CREAT, 0644);
	CHECK(ftruncate(fd, (off_t)size) == 0);
	map = mmap(NULL, size, prot, flags, fd, 0);
	CHECK(map != MAP_FAILED);
	return map;
}

static sigjmp_buf jump;

static void on_signal(int sig)
{
	siglongjmp(jump, sig);
}

/* Which signal touching @at gives; 0: none. */
static int touch(volatile char *at, int write)
{
	int sig;

	signal(SIGBUS, on_signal);
	signal(SIGSEGV, on_signal);
	sig = sigsetjmp(jump, 1);
	if (sig)
		return sig;
	if (write)
		*at = 'w';
	else
		(void)*at;
	return 0;
}

CASE(writes_show_in_mappings_and_back)
{
	char *map = map_file(3 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED), c;

	CHECK(pwrite(fd, "A", 1, PAGE) == 1 && map[PAGE] == 'A');
	map[2 * PAGE] = 'B';
	CHECK(pread(fd, &c, 1, 2 * PAGE) == 1 && c == 'B');
	CHECK(pwrite(fd, "C", 1, 2 * PAGE) == 1 && map[2 * PAGE] == 'C');
}

CASE(two_mappings_and_two_processes_see_one_page)
{
	char *map = map_file(PAGE, PROT_READ | PROT_WRITE, MAP_SHARED), *other;

	other = mmap(NULL, PAGE, PROT_READ, MAP_SHARED, open("f", O_RDONLY), 0);
	if (fork() == 0) {
		map[10] = 'X';
		_exit(0);
	}
	wait(NULL);
	CHECK(map[10] == 'X' && other[10] == 'X');
}

CASE(private_mapping_keeps_its_writes)
{
	char *map = map_file(PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE), c;

	CHECK(pwrite(fd, "1", 1, 0) == 1 && map[0] == '1');
	map[0] = '2';
	CHECK(pread(fd, &c, 1, 0) == 1 && c == '1');
	CHECK(pwrite(fd, "3", 1, 0) == 1 && map[0] == '2');
}

CASE(access_past_the_last_page_is_sigbus)
{
	char *map = map_file(PAGE + 1, PROT_READ | PROT_WRITE, MAP_SHARED);
	char *longer;

	CHECK(touch(map + 2 * PAGE - 1, 1) == 0);
	longer = mmap(NULL, 4 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	CHECK(touch(longer + 2 * PAGE, 0) == SIGBUS && touch(longer + 3 * PAGE, 1) == SIGBUS);
	CHECK(ftruncate(fd, 4 * PAGE) == 0 && touch(longer + 3 * PAGE, 1) == 0);
}

CASE(truncation_takes_pages_from_mappings)
{
	char *map = map_file(3 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED);

	memset(map, 'm', 3 * PAGE);
	CHECK(ftruncate(fd, PAGE + 100) == 0);
	CHECK(touch(map + 2 * PAGE, 0) == SIGBUS && touch(map + PAGE, 0) == 0);
	CHECK(map[PAGE + 99] == 'm' && map[PAGE + 100] == 0);
	CHECK(ftruncate(fd, 3 * PAGE) == 0 && map[2 * PAGE] == 0);
}

CASE(private_pages_stay_after_truncation_only_in_the_file)
{
	char *map = map_file(2 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE);

	map[0] = 'p';
	map[PAGE] = 'p';
	CHECK(ftruncate(fd, 0) == 0);
	CHECK(touch(map, 0) == SIGBUS && touch(map + PAGE, 0) == SIGBUS);
}

CASE(hole_is_filled_by_a_write_to_the_mapping)
{
	char *map = map_file(8 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED);
	struct stat st;

	CHECK(fstat(fd, &st) == 0 && st.st_blocks == 0);
	map[3 * PAGE] = 'x';
	CHECK(fstat(fd, &st) == 0 && st.st_blocks == 8);
	CHECK(lseek(fd, 0, SEEK_DATA) == 3 * PAGE && lseek(fd, 3 * PAGE, SEEK_HOLE) == 4 * PAGE);
}

CASE(punched_pages_are_zeros_in_mappings)
{
	char *map = map_file(3 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED);

	memset(map, 'm', 3 * PAGE);
	CHECK(fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, PAGE - 10, PAGE + 20) == 0);
	CHECK(map[PAGE - 11] == 'm' && map[PAGE - 10] == 0 && map[PAGE] == 0);
	CHECK(map[2 * PAGE + 9] == 0 && map[2 * PAGE + 10] == 'm');
}

CASE(mapping_outlives_descriptor_and_name)
{
	char *map = map_file(PAGE, PROT_READ | PROT_WRITE, MAP_SHARED);

	strcpy(map, "alive");
	close(fd);
	unlink("f");
	CHECK(!strcmp(map, "alive") && touch(map + 100, 1) == 0);
}

CASE(mapping_obeys_how_the_file_is_open)
{
	int r, w;

	scratch();
	make("f", "0123456789");
	r = open("f", O_RDONLY);
	w = open("f", O_WRONLY);
	CHECK_ERROR(mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, r, 0), EACCES);
	CHECK(mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE, r, 0) != MAP_FAILED);
	CHECK_ERROR(mmap(NULL, PAGE, PROT_READ, MAP_SHARED, w, 0), EACCES);
	CHECK_ERROR(mmap(NULL, PAGE, PROT_READ, MAP_SHARED, open("f", O_PATH), 0), EBADF);
	CHECK_ERROR(mmap(NULL, PAGE, PROT_READ, MAP_SHARED, open(".", O_RDONLY), 0), ENODEV);
	CHECK_ERROR(mmap(NULL, PAGE, PROT_READ, MAP_SHARED, r, 1), EINVAL);
}

CASE(mapping_of_a_read_only_file_cannot_become_writable)
{
	char *map;

	scratch();
	make("f", "0123456789");
	map = mmap(NULL, PAGE, PROT_READ, MAP_SHARED, open("f", O_RDONLY), 0);
	CHECK(map != MAP_FAILED && touch(map, 1) == SIGSEGV);
	CHECK_ERROR(mprotect(map, PAGE, PROT_READ | PROT_WRITE), EACCES);
}

CASE(writing_a_file_from_its_own_mapping)
{
	char *map = map_file(2 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED);

	for (int i = 0; i < 2 * PAGE; i++)
		map[i] = (char)('a' + i % 26);
	CHECK(pwrite(fd, map, PAGE, PAGE) == PAGE);
	CHECK(!memcmp(map, map + PAGE, PAGE));
	CHECK(pread(fd, map + 100, PAGE, 0) == PAGE);
}

CASE(dev_zero_maps_memory)
{
	char *shared, *private;
	int zero = open("/dev/zero", O_RDWR);

	shared = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, zero, 0);
	private = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE, zero, 0);
	CHECK(shared != MAP_FAILED && private != MAP_FAILED && shared[0] == 0);
	if (fork() == 0) {
		shared[0] = private[0] = 'c';
		_exit(0);
	}
	wait(NULL);
	CHECK(shared[0] == 'c' && private[0] == 0);
}
