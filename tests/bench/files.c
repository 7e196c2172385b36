/*
 * What calls on files cost: hake/bench --files. See measure.h.
 *
 * Files are made below the root, in memory on both systems, and everything is in the caches when
 * it is measured.
 */
#include <dirent.h>
#include <fcntl.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "measure.h"

#define SHALLOW "/bench-file"
#define DEEP    "/bench1/2/3/4/5/6/7/file"
#define MANY    "/bench-many"
#define TREE    "/bench-tree"
#define NEW     "/bench1/new"
#define LINK    "/bench-link"
#define BUSYBOX "/bin/busybox"

enum {
	PAGE = 4096,
	KIB = 1024,
	MIB = 1024 * KIB,
	NAMES = 10000,
	FOLDERS = 200,
	FILES = 100, /* in each: 20,000 in all */
	LISTING = 32 * KIB,
};

static char *data, *mapped;
static int fd = -1;
static unsigned seen;

static void make_file(const char *path)
{
	int new = open(path, O_CREAT | O_WRONLY, 0644);

	bench_need(new >= 0 && close(new) == 0, path);
}

static void make_folders(void)
{
	char path[] = DEEP;

	for (char *slash = path + 1; (slash = strchr(slash, '/')); slash++) {
		*slash = 0;
		bench_need(mkdir(path, 0755) == 0, path);
		*slash = '/';
	}
}

static void open_close(const char *path, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		bench_need(close(open(path, O_RDONLY)) == 0, path);
}

static unsigned open_shallow(unsigned n)
{
	open_close(SHALLOW, n);
	return n;
}

static unsigned open_deep(unsigned n)
{
	open_close(DEEP, n);
	return n;
}

static unsigned stat_shallow(unsigned n)
{
	struct stat st;

	for (unsigned i = 0; i < n; i++)
		bench_need(syscall(SYS_stat, SHALLOW, &st) == 0, SHALLOW);
	return n;
}

static unsigned stat_deep(unsigned n)
{
	struct stat st;

	for (unsigned i = 0; i < n; i++)
		bench_need(syscall(SYS_stat, DEEP, &st) == 0, DEEP);
	return n;
}

static unsigned stat_missing(unsigned n)
{
	struct stat st;

	for (unsigned i = 0; i < n; i++)
		bench_need(syscall(SYS_stat, SHALLOW "-not", &st) < 0, SHALLOW "-not");
	return n;
}

static unsigned fstat_open(unsigned n)
{
	struct stat st;

	for (unsigned i = 0; i < n; i++)
		bench_need(syscall(SYS_fstat, fd, &st) == 0, "fstat");
	return n;
}

static unsigned stat_link(unsigned n)
{
	struct stat st;

	for (unsigned i = 0; i < n; i++)
		bench_need(syscall(SYS_stat, LINK, &st) == 0, LINK);
	return n;
}

static unsigned read_link(unsigned n)
{
	char target[64];

	for (unsigned i = 0; i < n; i++)
		bench_need(readlink(LINK, target, sizeof(target)) > 0, LINK);
	return n;
}

static unsigned rename_file(unsigned n)
{
	for (unsigned i = 0; i < n; i++) {
		bench_need(rename(DEEP, NEW) == 0, NEW);
		bench_need(rename(NEW, DEEP) == 0, DEEP);
	}
	return 2 * n;
}

static unsigned make_remove_folder(unsigned n)
{
	for (unsigned i = 0; i < n; i++) {
		bench_need(mkdir(NEW, 0755) == 0, NEW);
		bench_need(rmdir(NEW) == 0, NEW);
	}
	return n;
}

static unsigned seek(unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		bench_need(lseek(fd, i, SEEK_SET) == (off_t)i, "lseek");
	return n;
}

static unsigned duplicate(unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		bench_need(close(dup(fd)) == 0, "dup");
	return n;
}

static unsigned poll_files(unsigned n)
{
	struct pollfd p[16];

	for (unsigned i = 0; i < 16; i++)
		p[i] = (struct pollfd){.fd = fd, .events = POLLIN};
	for (unsigned i = 0; i < n; i++)
		bench_need(poll(p, 16, 0) == 16, "poll");
	return n;
}

/* A file's pages, in the cache, in an order that no system guesses. */
static void map_file(unsigned n)
{
	mapped = mmap(NULL, n * PAGE, PROT_READ, MAP_SHARED, fd, 0);
	bench_need(mapped != MAP_FAILED, "mmap");
}

static unsigned read_mapped(unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		(void)((volatile char *)mapped)[(i * 37 & (n - 1)) * PAGE];
	return n;
}

static void unmap_file(void)
{
	munmap(mapped, MIB);
}

static unsigned map_unmap(unsigned n)
{
	for (unsigned i = 0; i < n; i++) {
		map_file(MIB / PAGE);
		unmap_file();
	}
	return n;
}

static unsigned read_proc(unsigned n)
{
	for (unsigned i = 0; i < n; i++) {
		int proc = open("/proc/self/stat", O_RDONLY);

		bench_need(read(proc, data, 4 * KIB) > 0, "/proc/self/stat");
		close(proc);
	}
	return n;
}

static unsigned create_unlink(unsigned n)
{
	for (unsigned i = 0; i < n; i++) {
		bench_need(close(open(NEW, O_CREAT | O_EXCL | O_WRONLY, 0644)) == 0, NEW);
		bench_need(unlink(NEW) == 0, NEW);
	}
	return n;
}

static void read_bytes(unsigned n, size_t bytes)
{
	for (unsigned i = 0; i < n; i++)
		bench_need(pread(fd, data, bytes, 0) == (ssize_t)bytes, "pread");
}

static void write_bytes(unsigned n, size_t bytes)
{
	for (unsigned i = 0; i < n; i++)
		bench_need(pwrite(fd, data, bytes, 0) == (ssize_t)bytes, "pwrite");
}

static unsigned read_1(unsigned n)
{
	read_bytes(n, 1);
	return n;
}

static unsigned read_4k(unsigned n)
{
	read_bytes(n, 4 * KIB);
	return n;
}

static unsigned read_1m(unsigned n)
{
	read_bytes(n, MIB);
	return n;
}

static unsigned write_1(unsigned n)
{
	write_bytes(n, 1);
	return n;
}

static unsigned write_4k(unsigned n)
{
	write_bytes(n, 4 * KIB);
	return n;
}

static unsigned write_1m(unsigned n)
{
	write_bytes(n, MIB);
	return n;
}

/* All names of the open folder @dir; @look_at is called for each but "." and "..". */
static void list(int dir, void (*look_at)(int dir, const struct dirent *e))
{
	char *names = malloc(LISTING);
	long got;

	bench_need(names != NULL, "memory");
	while ((got = syscall(SYS_getdents64, dir, names, LISTING)) > 0) {
		for (long at = 0; at < got;) {
			const struct dirent *e = (const void *)(names + at);

			if (e->d_name[0] != '.')
				look_at(dir, e);
			at += e->d_reclen;
		}
	}
	bench_need(got == 0, "getdents64");
	free(names);
}

static void count(int dir, const struct dirent *e)
{
	(void)dir;
	(void)e;
	seen++;
}

static unsigned getdents_many(unsigned n)
{
	for (unsigned i = 0; i < n; i++) {
		int dir = open(MANY, O_RDONLY | O_DIRECTORY);

		seen = 0;
		list(dir, count);
		close(dir);
		bench_need(seen == NAMES, "a listing of all names");
	}
	return n;
}

/* As find(1) goes: looks at every name, and into every folder. */
static void visit(int dir, const struct dirent *e)
{
	struct stat st;
	int inner;

	seen++;
	bench_need(fstatat(dir, e->d_name, &st, AT_SYMLINK_NOFOLLOW) == 0, e->d_name);
	if (!S_ISDIR(st.st_mode))
		return;
	inner = openat(dir, e->d_name, O_RDONLY | O_DIRECTORY);
	bench_need(inner >= 0, e->d_name);
	list(inner, visit);
	close(inner);
}

static unsigned find_all(unsigned n)
{
	for (unsigned i = 0; i < n; i++) {
		int dir = open(TREE, O_RDONLY | O_DIRECTORY);

		seen = 0;
		list(dir, visit);
		close(dir);
		bench_need(seen == FOLDERS * (FILES + 1), "a walk of the whole tree");
	}
	return n;
}

static unsigned busybox_find(unsigned n)
{
	for (unsigned i = 0; i < n; i++) {
		pid_t pid = fork();
		int status, null;

		if (pid == 0) {
			null = open("/dev/null", O_WRONLY);
			dup2(null, 1);
			execl(BUSYBOX, BUSYBOX, "find", TREE, "-size", "+1", NULL);
			_exit(1);
		}
		bench_need(waitpid(pid, &status, 0) == pid && status == 0, BUSYBOX " find");
	}
	return n;
}

/* The system's free memory in bytes (proc_meminfo(5)). */
static double free_memory(void)
{
	FILE *f = fopen("/proc/meminfo", "re");
	char line[128];
	double kib = 0;

	bench_need(f != NULL, "/proc/meminfo");
	while (fgets(line, sizeof(line), f)) {
		if (strncmp(line, "MemFree:", 8) == 0)
			kib = atof(line + 8);
	}
	fclose(f);
	bench_need(kib > 0, "MemFree of /proc/meminfo");
	return kib * KIB;
}

/* Bytes of an object of Linux's cache @name (slabinfo(5)), 0 if there is none. */
static double slab_bytes(const char *name)
{
	FILE *f = fopen("/proc/slabinfo", "re");
	char line[256], word[64];
	double bytes = 0;
	unsigned size;

	while (f && fgets(line, sizeof(line), f)) {
		if (sscanf(line, "%63s %*u %*u %u", word, &size) == 2 && strcmp(word, name) == 0)
			bytes = size;
	}
	if (f)
		fclose(f);
	return bytes;
}

/* The number behind @key in what Skerry tells of its caches, 0 if there is none. */
static double cache_value(const char *key)
{
	FILE *f = fopen("/sys/kernel/skerry/caches", "re");
	char line[128], word[64];
	double value = 0;
	unsigned long n;

	while (f && fgets(line, sizeof(line), f)) {
		if (sscanf(line, "%63s %lu", word, &n) == 2 && strcmp(word, key) == 0)
			value = (double)n;
	}
	if (f)
		fclose(f);
	return value;
}

/* Names of up to 39 bytes are in Linux's dentries, and beside Skerry's. */
static void report_caches(void)
{
	double dentry = slab_bytes("dentry"), inode = slab_bytes("shmem_inode_cache");
	double dentries = cache_value("dentries");

	if (dentries > 0) {
		dentry = cache_value("dentry_bytes") + cache_value("name_bytes") / dentries;
		inode = cache_value("tmpfs_inode_bytes");
	}
	bench_need(dentry > 0 && inode > 0, "what is cached");
	bench_report("cached_dentry", dentry, "bytes");
	bench_report("cached_tmpfs_inode", inode, "bytes");
}

/* 20,000 empty files in memory, with their names: what one takes in all. */
static void make_tree(void)
{
	double before = free_memory();
	char path[64];

	bench_need(mkdir(TREE, 0755) == 0, TREE);
	for (unsigned i = 0; i < FOLDERS; i++) {
		snprintf(path, sizeof(path), TREE "/folder%u", i);
		bench_need(mkdir(path, 0755) == 0, path);
		for (unsigned j = 0; j < FILES; j++) {
			snprintf(path, sizeof(path), TREE "/folder%u/file%u", i, j);
			make_file(path);
		}
	}
	bench_report("memory_of_an_empty_file", (before - free_memory()) / (FOLDERS * (FILES + 1)),
		     "bytes");
}

static void make_many(void)
{
	char path[64];

	bench_need(mkdir(MANY, 0755) == 0, MANY);
	for (unsigned i = 0; i < NAMES; i++) {
		snprintf(path, sizeof(path), MANY "/name%u", i);
		make_file(path);
	}
}

/* Rows of open() and stat() need what make_folders() makes; reading needs what writing has written.
 */
static const struct bench_row rows[] = {
	{"open_close_depth_1", 50, NULL, open_shallow, NULL},
	{"open_close_depth_8", 50, NULL, open_deep, NULL},
	{"stat_depth_1", 50, NULL, stat_shallow, NULL},
	{"stat_depth_8", 50, NULL, stat_deep, NULL},
	{"stat_no_such_file", 50, NULL, stat_missing, NULL},
	{"fstat", 50, NULL, fstat_open, NULL},
	{"stat_through_a_link", 50, NULL, stat_link, NULL},
	{"readlink", 50, NULL, read_link, NULL},
	{"create_unlink", 10, NULL, create_unlink, NULL},
	{"mkdir_rmdir", 10, NULL, make_remove_folder, NULL},
	{"rename", 10, NULL, rename_file, NULL},
	{"write_1_byte", 50, NULL, write_1, NULL},
	{"write_4_kib", 20, NULL, write_4k, NULL},
	{"write_1_mib", 1, NULL, write_1m, NULL},
	{"read_1_byte", 50, NULL, read_1, NULL},
	{"read_4_kib", 20, NULL, read_4k, NULL},
	{"read_1_mib", 1, NULL, read_1m, NULL},
	{"lseek", 50, NULL, seek, NULL},
	{"dup_close", 50, NULL, duplicate, NULL},
	{"poll_16_files", 20, NULL, poll_files, NULL},
	{"mmap_munmap_1_mib", 20, NULL, map_unmap, NULL},
	{"mapped_page_read", MIB / PAGE, map_file, read_mapped, unmap_file},
	{"open_read_close_proc_stat", 20, NULL, read_proc, NULL},
};

static const struct bench_row trees[] = {
	{"getdents_10000_names", 1, NULL, getdents_many, NULL},
	{"find_20000_files", 1, NULL, find_all, NULL},
	{"busybox_find_20000_files", 1, NULL, busybox_find, NULL},
};

int main(int argc, char **argv)
{
	bool busybox = access(BUSYBOX, X_OK) == 0;

	bench_start(argc, argv);
	data = calloc(1, MIB);
	bench_need(data != NULL, "memory");
	make_file(SHALLOW);
	make_folders();
	make_file(DEEP);
	bench_need(symlink(SHALLOW, LINK) == 0, LINK);
	fd = open(SHALLOW, O_RDWR);
	bench_need(fd >= 0, SHALLOW);
	bench_run(rows, sizeof(rows) / sizeof(*rows));
	make_tree();
	make_many();
	bench_run(trees, busybox ? 3 : 2);
	report_caches();
	return 0;
}
