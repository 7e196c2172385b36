/*
 * The boot image. See image.h.
 *
 * The archive is the same, byte for byte, whenever its files are the same: entries are sorted,
 * owners are root, times are 0. The data of ELF files begins on a page boundary (the names
 * before them end in as many NULs as that takes), so that text can be mapped where it lies.
 */
#include "image.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "ninja.h"
#include "root.h"

#define HEADER_BYTES 110
#define NAME_ALIGN   4
#define FILESIZE_AT  54 /* in a header: 6 digits of magic, then 6 numbers of 8 */

/* One file to be: its path in the image, and where its bytes come from. */
struct entry {
	const char *path;
	const char *source; /* a file, or NULL: @bytes */
	const char *where;  /* who put it there, for messages */
	struct buf bytes;
	u32 mode;
};

struct entries {
	struct entry *v;
	size_t n;
};

static void add_entry(struct entries *list, struct entry e)
{
	list->v = realloc(list->v, (list->n + 1) * sizeof(e));
	if (!list->v)
		die("out of memory");
	list->v[list->n++] = e;
}

/* Adds what is below the folder @dir of the build host, as @path in the image. */
static void add_tree(struct entries *list, const char *dir, const char *path, const char *where)
{
	DIR *d = opendir(dir);

	if (!d)
		die("%s: there is no folder %s", where, dir);
	for (struct dirent *e; (e = readdir(d));) {
		const char *name = strf("%s/%s", dir, e->d_name);
		const char *inner = strf("%s%s%s", path, *path ? "/" : "", e->d_name);
		char target[4096];
		ssize_t n;

		if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0)
			continue;
		n = readlink(name, target, sizeof(target));
		if (n > 0)
			add_entry(list, (struct entry){.path = inner,
						       .where = where,
						       .bytes = {strf("%.*s", (int)n, target),
								 (size_t)n, 0},
						       .mode = S_IFLNK | 0777});
		else if (is_dir(name))
			add_tree(list, name, inner, where);
		else
			add_entry(list,
				  (struct entry){.path = inner, .source = name, .where = where});
	}
	closedir(d);
}

#define FOR_SKERRY (1u << DOMAIN | 1u << KERNEL | 1u << LINUX_PROGRAM)
#define FOR_LINUX  (1u << LINUX_PROGRAM)

#define INIT_PATH  "init" /* of process 1: Skerry's own; Linux gets another */

static bool is_init(const struct item *it)
{
	return it->kind == LINUX_PROGRAM && strcmp(image_path(it), INIT_PATH) == 0;
}

/* Everything that Hakefiles put into the image, of programs those of the set @kinds. */
static struct entries collect(const struct project *p, unsigned kinds)
{
	struct entries list = {0};

	for (size_t i = 0; i < p->n; i++) {
		const struct item *it = p->v[i];

		if (kinds & 1u << it->kind && !(kinds == FOR_LINUX && is_init(it)))
			add_entry(&list, (struct entry){.path = image_path(it),
							.source = item_output(it),
							.where = it->where});
		for (size_t j = 0; j < it->files.n; j++)
			add_entry(&list, (struct entry){.path = it->files.v[j].key,
							.source = strf("%s/%s", it->dir,
								       it->files.v[j].value),
							.where = it->where});
		if (it->tree)
			add_tree(&list, it->tree, "", it->where);
	}
	return list;
}

static int compare_entries(const void *a, const void *b)
{
	return strcmp(((const struct entry *)a)->path, ((const struct entry *)b)->path);
}

/* Adds the folders above the files, and puts all in order: folders before what is in them. */
static void complete(struct entries *list)
{
	struct strv folders = {0};

	for (size_t i = 0; i < list->n; i++) {
		const char *path = list->v[i].path;

		for (const char *slash = strchr(path, '/'); slash; slash = strchr(slash + 1, '/')) {
			const char *folder = strf("%.*s", (int)(slash - path), path);

			if (!strv_has(&folders, folder))
				strv_add(&folders, folder);
		}
	}
	for (size_t i = 0; i < folders.n; i++)
		add_entry(list, (struct entry){
					.path = folders.v[i], .where = "", .mode = S_IFDIR | 0755});
	qsort(list->v, list->n, sizeof(*list->v), compare_entries);
	for (size_t i = 1; i < list->n; i++) {
		if (strcmp(list->v[i].path, list->v[i - 1].path) == 0)
			die("%s: the image has a file %s already, from %s", list->v[i].where,
			    list->v[i].path, list->v[i - 1].where);
	}
}

static bool is_elf(const struct buf *b)
{
	return b->n > 4 && memcmp(b->v, "\177ELF", 4) == 0;
}

static void pad_to(struct buf *b, size_t align)
{
	static const char zeroes[PAGE_SIZE];

	buf_add(b, zeroes, ROUND_UP(b->n, align) - b->n);
}

/*
 * The data of an ELF file begins at a multiple of @elf_align.
 * Source: cpio(5), "New ASCII Format"; Linux, driver-api/early-userspace/buffer-format.rst.
 */
static void put_entry(struct buf *out, const struct entry *e, u32 number, size_t elf_align)
{
	size_t align = is_elf(&e->bytes) ? elf_align : NAME_ALIGN;
	size_t name_bytes = strlen(e->path) + 1;
	size_t name_end = out->n + HEADER_BYTES + name_bytes;

	/* A name that ends where its data begins needs no padding of the format's own. */
	if (align == PAGE_SIZE)
		name_bytes += ROUND_UP(name_end, align) - name_end;
	buf_addf(out, "070701%08x%08x%08x%08x%08x%08x%08zx%08x%08x%08x%08x%08zx%08x", number,
		 e->mode, 0, 0, S_ISDIR(e->mode) ? 2 : 1, 0, e->bytes.n, 0, 0, 0, 0, name_bytes, 0);
	buf_add(out, e->path, strlen(e->path) + 1);
	pad_to(out, align);
	buf_add(out, e->bytes.v ? e->bytes.v : "", e->bytes.n);
	pad_to(out, NAME_ALIGN);
}

/* Reads the file behind @e, unless it has its bytes. */
static void load_entry(struct entry *e)
{
	struct stat st;

	if (!e->source)
		return;
	if (file_read(e->source, &e->bytes) || stat(e->source, &st))
		die("%s: cannot read %s for the image", e->where, e->source);
	e->mode = S_IFREG | (is_elf(&e->bytes) || (st.st_mode & 0100) ? 0755 : 0644);
}

/* All entries, in order, without the one that closes the archive. */
static struct buf archive_entries(struct entries *list, size_t elf_align)
{
	struct buf out = {0};

	complete(list);
	for (size_t i = 0; i < list->n; i++) {
		load_entry(&list->v[i]);
		put_entry(&out, &list->v[i], (u32)i + 1, elf_align);
	}
	return out;
}

static void close_archive(struct buf *out)
{
	put_entry(out, &(struct entry){.path = "TRAILER!!!"}, 0, NAME_ALIGN);
}

static void write_archive(const char *file, struct entries *list, size_t elf_align)
{
	struct buf out = archive_entries(list, elf_align);

	close_archive(&out);
	file_write(file, out.v, out.n);
}

static void add_topology(struct entries *list, const struct topology *t)
{
	const struct machine *m = topology_machine(t);

	add_entry(list, (struct entry){.path = "boot/topology",
				       .where = t->name,
				       .bytes = {(char *)m, m->size_bytes, 0},
				       .mode = S_IFREG | 0644});
}

char *image_write(const struct project *p, const struct topology *t)
{
	char *file = strf("%s/images/%s.cpio", build_dir(), topology_file_name(t));
	struct entries list = collect(p, FOR_SKERRY);

	add_topology(&list, t);
	write_archive(file, &list, PAGE_SIZE);
	return file;
}

/* What there must be beside a root of somebody else's: native programs, and our init. */
static struct entries collect_system(const struct project *p)
{
	struct entries list = {0};

	for (size_t i = 0; i < p->n; i++) {
		const struct item *it = p->v[i];

		if (1u << it->kind & (1u << DOMAIN | 1u << KERNEL) || is_init(it))
			add_entry(&list, (struct entry){.path = image_path(it),
							.source = item_output(it),
							.where = it->where});
	}
	return list;
}

static void put_all(int fd, const struct buf *b)
{
	for (size_t done = 0; done < b->n;) {
		ssize_t n = write(fd, b->v + done, b->n - done);

		if (n <= 0)
			die("the image cannot be written: %s", strerror(errno));
		done += (size_t)n;
	}
}

/* A file without a name, which QEMU gets by its descriptor: nothing is left behind. */
static int nameless_file(void)
{
	char *file = strf("%s/images/run-XXXXXX", build_dir());
	int fd;

	make_parents(file);
	fd = mkstemp(file);
	if (fd < 0)
		die("%s: %s", file, strerror(errno));
	unlink(file);
	return fd;
}

/* Appends @root as boot/root: its size is known when it has been written. */
static void put_root(int fd, const char *root)
{
	struct buf head = {0}, padding = {0}, size = {0};
	off_t at = lseek(fd, 0, SEEK_CUR);
	u64 bytes;

	put_entry(&head, &(struct entry){.path = "boot/root", .mode = S_IFREG | 0600}, 0,
		  NAME_ALIGN);
	put_all(fd, &head);
	bytes = root_write(fd, root);
	buf_addf(&size, "%08x", (u32)bytes);
	if (pwrite(fd, size.v, size.n, at + FILESIZE_AT) != (ssize_t)size.n)
		die("the image cannot be written: %s", strerror(errno));
	buf_add(&padding, "\0\0\0", ROUND_UP(bytes, NAME_ALIGN) - bytes);
	put_all(fd, &padding);
}

char *image_write_run(const struct project *p, const struct topology *t, const char *root,
		      const struct strv *command)
{
	struct entries list = root ? collect_system(p) : collect(p, FOR_SKERRY);
	struct buf out, words = {0}, end = {0};
	int fd = nameless_file();

	for (size_t i = 0; i < command->n; i++)
		buf_add(&words, command->v[i], strlen(command->v[i]) + 1);
	if (command->n)
		add_entry(&list, (struct entry){.path = "boot/command",
						.where = "--",
						.bytes = words,
						.mode = S_IFREG | 0600});
	add_topology(&list, t);
	out = archive_entries(&list, PAGE_SIZE);
	put_all(fd, &out);
	if (root)
		put_root(fd, root);
	close_archive(&end);
	put_all(fd, &end);
	return strf("/dev/fd/%d", fd);
}

char *image_write_linux(const struct project *p, const char *init)
{
	char *file = strf("%s/images/linux.cpio", build_dir());
	struct entries list = collect(p, FOR_LINUX);

	add_entry(&list, (struct entry){.path = "init", .source = init, .where = "hake/linux"});
	/* Linux takes names of 4096 bytes at most, which padding up to a page may exceed. */
	write_archive(file, &list, NAME_ALIGN);
	return file;
}

char *image_write_linux_program(const struct project *p, const char *init, const char *program)
{
	char *file = strf("%s/images/linux-%s.cpio", build_dir(), program);
	const struct item *it = project_find(p, LINUX_PROGRAM, program);
	struct entries list = {0};

	add_entry(&list, (struct entry){.path = image_path(it),
					.source = item_output(it),
					.where = it->where});
	add_entry(&list, (struct entry){.path = "init", .source = init, .where = "hake/linux"});
	write_archive(file, &list, NAME_ALIGN);
	return file;
}

static struct strv image_programs(const struct project *p, bool for_linux)
{
	struct entries list = collect(p, for_linux ? FOR_LINUX : FOR_SKERRY);
	struct strv programs = {0};

	for (size_t i = 0; i < list.n; i++) {
		if (starts_with(list.v[i].path, "sbin/") || starts_with(list.v[i].path, "bin/"))
			strv_add(&programs, list.v[i].path);
	}
	strv_sort(&programs);
	return programs;
}

const char *image_find_program(const struct project *p, const char *name)
{
	static const char *const folders[] = {"bin", "sbin"};
	struct strv programs = image_programs(p, false);

	for (size_t i = 0; i < ARRAY_SIZE(folders) && !strchr(name, '/'); i++) {
		const char *path = strf("%s/%s", folders[i], name);

		if (strv_has(&programs, path))
			return path;
	}
	return name;
}

void image_check_program(const struct project *p, const char *path, bool for_linux)
{
	struct strv programs = image_programs(p, for_linux);

	path += *path == '/';
	if (!strv_has(&programs, path))
		die("the image has no program \"%s\"%s\n  it has: %s", path,
		    suggest(path, &programs), strv_join(&programs, " "));
}
