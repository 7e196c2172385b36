/*
 * Random changes of a file and of trees, as a program sees them, against a model in its memory.
 *
 *   exercise SEED STEPS
 *
 * The file is read and written by calls and by mappings, cut, grown, punched and copied within.
 * The trees are of four processes that make, rename, link and remove names at the same time, each
 * in a folder of its own and all in one they share; each knows what its own must hold.
 */
#include "scratch.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define FILE_MAX  (64 * 1024)
#define NAMES     24
#define PROCESSES 4

static unsigned long state;

static unsigned pick(unsigned n)
{
	state = state * 6364136223846793005ul + 1442695040888963407ul;
	return (unsigned)(state >> 33) % n;
}

static _Noreturn void fail(const char *test, unsigned long step, const char *what)
{
	printf("@test name=%s result=fail detail=step-%lu-%s-errno-%d\n", test, step, what, errno);
	fflush(stdout);
	_exit(1);
}

/* --- The file --- */

static const char *const file_test = "random_changes_of_a_file_are_as_in_the_model";
static char model[FILE_MAX], data[FILE_MAX];
static size_t size;
static char *map; /* all of FILE_MAX, shared */
static int fd;

static void random_bytes_of(char *to, size_t n)
{
	for (size_t i = 0; i < n; i++)
		to[i] = (char)pick(256);
}

static void grown_to(size_t to)
{
	size = to > size ? to : size;
}

static bool write_by_call(size_t from, size_t n)
{
	random_bytes_of(data, n);
	memcpy(model + from, data, n);
	grown_to(from + n);
	return pwrite(fd, data, n, (off_t)from) == (ssize_t)n;
}

/* Only within the file: what lies behind its end is not part of it. */
static bool write_by_map(size_t from, size_t n)
{
	if (from >= size)
		return true;
	n = n < size - from ? n : size - from;
	random_bytes_of(data, n);
	memcpy(map + from, data, n);
	memcpy(model + from, data, n);
	return true;
}

static bool read_by_call(size_t from, size_t n)
{
	ssize_t got = pread(fd, data, n, (off_t)from);
	size_t want = from >= size ? 0 : n < size - from ? n : size - from;

	return got == (ssize_t)want && !memcmp(data, model + from, want);
}

static bool read_by_map(size_t from, size_t n)
{
	if (from >= size)
		return true;
	n = n < size - from ? n : size - from;
	return !memcmp(map + from, model + from, n);
}

static bool cut(size_t to)
{
	if (to < size)
		memset(model + to, 0, size - to);
	size = to;
	return ftruncate(fd, (off_t)to) == 0;
}

static bool punch(size_t from, size_t n)
{
	memset(model + from, 0, from + n <= size ? n : from < size ? size - from : 0);
	return fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, (off_t)from, (off_t)n) ==
	       0;
}

static bool give(size_t from, size_t n)
{
	grown_to(from + n);
	return fallocate(fd, 0, (off_t)from, (off_t)n) == 0;
}

static bool copy_within(size_t from, size_t n)
{
	loff_t in = (loff_t)from, out = (loff_t)pick(FILE_MAX);
	size_t to = (size_t)out, half = n / 2 + 1;
	ssize_t want;

	if (from >= size || to + half > FILE_MAX || (to < from + half && from < to + half))
		return true;
	want = (ssize_t)(half < size - from ? half : size - from);
	memcpy(model + to, model + from, (size_t)want);
	grown_to(to + (size_t)want);
	return copy_file_range(fd, &in, fd, &out, half, 0) == want;
}

static void exercise_file(unsigned long steps)
{
	bool (*const changes[])(size_t, size_t) = {write_by_call, write_by_map, read_by_call,
						   read_by_map,   read_by_call, read_by_map,
						   write_by_call, punch,        give,
						   copy_within};
	struct stat st;

	scratch();
	fd = open("f", O_RDWR | O_CREAT, 0644);
	map = mmap(NULL, FILE_MAX, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (fd < 0 || map == MAP_FAILED)
		fail(file_test, 0, "begin");
	for (unsigned long i = 0; i < steps; i++) {
		unsigned what = pick(11);
		size_t from = pick(FILE_MAX - 1), n = pick(FILE_MAX - (unsigned)from) + 1;

		n = n > 9000 ? n % 9000 + 1 : n;
		if (what == 10 ? !cut(from) : !changes[what](from, n))
			fail(file_test, i, what == 10 ? "cut" : "difference");
		if (fstat(fd, &st) || (size_t)st.st_size != size)
			fail(file_test, i, "size");
	}
	printf("@test name=%s result=pass\n", file_test);
}

/* --- Trees --- */

static const char *const tree_test =
	"random_changes_of_trees_by_four_processes_are_as_in_the_model";

/* What a process knows of its folder's names: 0 nothing, 1 a file, 2 a folder; and whose file. */
static struct {
	int kind, ino;
} names[NAMES];

static void name_of(char *out, unsigned i)
{
	snprintf(out, 16, "n%u", i);
}

static bool make_one(unsigned a, unsigned number)
{
	char name[16];
	int made;

	name_of(name, a);
	if (pick(3) == 0) {
		if (mkdir(name, 0755))
			return names[a].kind && errno == EEXIST;
		if (names[a].kind)
			return false;
		names[a].kind = 2;
		return true;
	}
	made = open(name, O_CREAT | O_EXCL | O_WRONLY, 0644);
	if (made < 0)
		return names[a].kind && errno == EEXIST;
	if (names[a].kind || write(made, &number, sizeof(number)) != sizeof(number))
		return false;
	close(made);
	names[a].kind = 1;
	names[a].ino = (int)number;
	return true;
}

static bool remove_one(unsigned a)
{
	char name[16];
	bool folder = pick(2);
	int err, want;

	name_of(name, a);
	err = (folder ? rmdir(name) : unlink(name)) ? errno : 0;
	want = !names[a].kind                  ? ENOENT
	       : folder && names[a].kind == 1  ? ENOTDIR
	       : !folder && names[a].kind == 2 ? EISDIR
					       : 0;
	if (!err)
		names[a].kind = 0;
	return err == want;
}

static bool rename_one(unsigned a, unsigned b)
{
	char from[16], to[16];
	int err, want = 0;

	name_of(from, a);
	name_of(to, b);
	err = rename(from, to) ? errno : 0;
	if (!names[a].kind)
		want = ENOENT;
	else if (a != b && names[b].kind && names[a].kind != names[b].kind)
		want = names[a].kind == 2 ? ENOTDIR : EISDIR;
	/* Two names of one file: nothing is done. */
	if (!want && a != b &&
	    !(names[a].kind == 1 && names[b].kind == 1 && names[a].ino == names[b].ino)) {
		names[b] = names[a];
		names[a].kind = 0;
	}
	return err == want;
}

static bool link_one(unsigned a, unsigned b)
{
	char from[16], to[16];
	int err, want;

	name_of(from, a);
	name_of(to, b);
	err = link(from, to) ? errno : 0;
	want = !names[a].kind ? ENOENT : names[b].kind ? EEXIST : names[a].kind == 2 ? EPERM : 0;
	if (!err)
		names[b] = names[a];
	return err == want;
}

static bool look(void)
{
	unsigned seen = 0, want = 0, i, number;
	struct dirent *e;
	DIR *dir = opendir(".");

	while (dir && (e = readdir(dir))) {
		if (sscanf(e->d_name, "n%u", &i) != 1)
			continue;
		if (i >= NAMES || !names[i].kind)
			return false;
		if (names[i].kind == 1) {
			int file = open(e->d_name, O_RDONLY);

			if (read(file, &number, sizeof(number)) != sizeof(number) ||
			    (int)number != names[i].ino)
				return false;
			close(file);
		}
		seen++;
	}
	closedir(dir);
	for (i = 0; i < NAMES; i++)
		want += names[i].kind != 0;
	return seen == want;
}

/* In the folder that all share, whatever others do: no error but those that a race explains. */
static bool disturb(void)
{
	char a[24], b[24];

	snprintf(a, sizeof(a), "../shared/s%u", pick(8));
	snprintf(b, sizeof(b), "../shared/s%u", pick(8));
	switch (pick(3)) {
	case 0:
		return make(a, "x") == 0;
	case 1:
		return rename(a, b) == 0 || errno == ENOENT;
	default:
		return unlink(a) == 0 || errno == ENOENT;
	}
}

static void exercise_tree(unsigned number, unsigned long steps)
{
	char home[16];

	snprintf(home, sizeof(home), "p%u", number);
	if (mkdir(home, 0755) || chdir(home))
		fail(tree_test, 0, "begin");
	for (unsigned long i = 0; i < steps; i++) {
		unsigned what = pick(20), a = pick(NAMES), b = pick(NAMES);
		bool good = what < 7    ? make_one(a, number << 24 | (unsigned)i)
			    : what < 11 ? remove_one(a)
			    : what < 15 ? rename_one(a, b)
			    : what < 17 ? link_one(a, b)
			    : what < 19 ? disturb()
			    : pick(8)   ? true
					: look();

		if (!good)
			fail(tree_test, i, "difference");
	}
	if (!look())
		fail(tree_test, steps, "names");
}

int main(int argc, char **argv)
{
	unsigned long seed = argc > 1 ? strtoul(argv[1], NULL, 0) : 1;
	unsigned long steps = argc > 2 ? strtoul(argv[2], NULL, 0) : 10000;
	int status, failed = 0;

	setvbuf(stdout, NULL, _IOLBF, 0);
	state = seed;
	exercise_file(steps);
	if (mkdir("shared", 0755))
		fail(tree_test, 0, "shared");
	fflush(stdout);
	for (unsigned i = 0; i < PROCESSES; i++) {
		if (fork() == 0) {
			state = seed + i * 7919;
			exercise_tree(i, steps / PROCESSES);
			_exit(0);
		}
	}
	while (wait(&status) > 0)
		failed |= status != 0;
	if (!failed)
		printf("@test name=%s result=pass\n", tree_test);
	return failed;
}
