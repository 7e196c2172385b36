/*
 * Reading Hakefiles: Lua that can only declare.
 *
 * A Hakefile sees the constructs (library, domain, ...), glob, and Lua's own string, table
 * and iteration functions; no files, no processes, no other module. Every construct is
 * checked against the table of fields below, so that a slip of the pen is an error with the
 * line it is on, never something that is silently left out.
 *
 * Not here: what is built from it (ninja.c), which tests run (test.c).
 */
#include "model.h"

#include <dirent.h>
#include <glob.h>
#include <lauxlib.h>
#include <lua.h>
#include <lualib.h>
#include <stdlib.h>
#include <string.h>

/* The folders of the project (DESIGN.md), the only ones in which Hakefiles are looked for. */
static const char *const top_dirs[] = {
	"cpudriver", "monitor", "services", "drivers", "lib", "include", "hake", "tests",
};

static const char *const kind_names[NKINDS] = {
	[LIBRARY] = "library",
	[EMBEDDED] = "embedded",
	[DOMAIN] = "domain",
	[KERNEL] = "kernel",
	[LOADER] = "loader",
	[HOST_PROGRAM] = "host_program",
	[LINUX_PROGRAM] = "linux_program",
	[UNIT_TEST] = "unit_test",
	[HOST_TEST] = "host_test",
	[BOOT_TEST] = "boot_test",
	[BENCHMARK] = "benchmark",
	[IMAGE] = "image",
	[TOPOLOGY] = "topology",
};

const char *kind_name(enum kind kind)
{
	return kind_names[kind];
}

enum field_type {
	STRING,
	BOOLEAN,
	INTEGER,
	LIST,     /* of strings; one string will do, and lists in lists are flattened */
	SOURCES,  /* a LIST of files of the Hakefile's folder */
	FILENAME, /* a file, from the top folder */
	MAP,      /* of names to strings or numbers */
};

#define K(kind) (1u << (kind))
#define COMPILED                                                                                   \
	(K(LIBRARY) | K(EMBEDDED) | K(DOMAIN) | K(KERNEL) | K(LOADER) | K(HOST_PROGRAM) |          \
	 K(LINUX_PROGRAM) | K(UNIT_TEST))
#define LINKED (COMPILED & ~K(LIBRARY))
#define TEST   (K(UNIT_TEST) | K(HOST_TEST) | K(BOOT_TEST))
#define BOOTED (K(BOOT_TEST) | K(BENCHMARK))

static const struct field {
	const char *key;
	enum field_type type;
	size_t offset;
	unsigned kinds;
} fields[] = {
#define FIELD(key, member, type, kinds)                                                            \
	{                                                                                          \
		key, type, offsetof(struct item, member), kinds                                    \
	}
	FIELD("sources", sources, SOURCES, COMPILED),
	FIELD("libs", libs, LIST, COMPILED),
	FIELD("cflags", cflags, LIST, COMPILED),
	FIELD("includes", includes, LIST, COMPILED),
	FIELD("ldflags", ldflags, LIST, LINKED),
	FIELD("ldscript", ldscript, FILENAME, K(EMBEDDED) | K(DOMAIN) | K(KERNEL) | K(LOADER)),
	FIELD("embeds", embeds, LIST, K(DOMAIN)),
	FIELD("system_libs", system_libs, LIST, K(LIBRARY) | K(HOST_PROGRAM) | K(UNIT_TEST)),
	FIELD("sanitize", sanitize, LIST, K(UNIT_TEST) | K(HOST_PROGRAM)),
	FIELD("path", path, STRING, K(DOMAIN) | K(HOST_PROGRAM) | K(LINUX_PROGRAM)),
	FIELD("libc", libc, STRING, K(LINUX_PROGRAM)),
	FIELD("target", target, BOOLEAN, K(LIBRARY)),
	FIELD("host", host, BOOLEAN, K(LIBRARY)),
	FIELD("suite", suite, STRING, TEST | K(BENCHMARK)),
	FIELD("about", about, STRING, TEST | K(BENCHMARK) | K(TOPOLOGY)),
	FIELD("timeout", timeout, INTEGER, TEST | K(BENCHMARK)),
	FIELD("long", is_long, BOOLEAN, TEST),
	FIELD("alone", alone, BOOLEAN, TEST),
	FIELD("needs", needs, LIST, TEST | K(BENCHMARK)),
	FIELD("command", command, STRING, K(HOST_TEST) | K(BENCHMARK)),
	FIELD("long_command", long_command, STRING, K(HOST_TEST)),
	FIELD("topology", topology, STRING, BOOTED),
	FIELD("program", program, STRING, BOOTED),
	FIELD("append", append, STRING, BOOTED),
	FIELD("mem", mem, STRING, BOOTED),
	FIELD("icount", icount, BOOLEAN, BOOTED),
	FIELD("qemu_args", qemu_args, LIST, BOOTED),
	FIELD("firmware", firmware, STRING, K(BOOT_TEST)),
	FIELD("expect", expect, MAP, K(BOOT_TEST)),
	FIELD("tests", tests, LIST, K(BOOT_TEST)),
	FIELD("says", says, LIST, K(BOOT_TEST)),
	FIELD("when", when, STRING, K(BOOT_TEST)),
	FIELD("send", send, STRING, K(BOOT_TEST)),
	FIELD("exit", exit, INTEGER, K(BOOT_TEST)),
	FIELD("files", files, MAP, K(IMAGE)),
	FIELD("tree", tree, FILENAME, K(IMAGE)),
	FIELD("machine", machine, STRING, K(TOPOLOGY)),
	FIELD("memory", memory, STRING, K(TOPOLOGY)),
	FIELD("distances", distances, LIST, K(TOPOLOGY)),
	FIELD("cores", cores, INTEGER, K(TOPOLOGY)),
#undef FIELD
};

/* The one project and folder that are being read: Lua's callbacks find them here. */
static struct project *reading;
static const char *reading_dir;

static char *path_in(const char *dir, const char *path)
{
	return strcmp(dir, ".") == 0 ? strf("%s", path) : strf("%s/%s", dir, path);
}

char *hakefile_path(const char *dir, const char *path)
{
	if (path[0] == '@')
		return strf("%s/sources/%s", build_dir(), path + 1);
	return path[0] == '/' ? strf("%s", path + 1) : path_in(dir, path);
}

/* "lib/ump/Hakefile:3", of the code that called the function that Lua called. */
static const char *position(lua_State *L, int level)
{
	lua_Debug ar;

	if (!lua_getstack(L, level, &ar) || !lua_getinfo(L, "Sl", &ar))
		return reading_dir;
	return strf("%s:%d", ar.short_src, ar.currentline);
}

/* Appends the strings of the value on top of the stack; @what is for messages. */
static void read_list(lua_State *L, const struct item *it, const char *what, struct strv *list)
{
	if (lua_type(L, -1) == LUA_TSTRING || lua_type(L, -1) == LUA_TNUMBER) {
		strv_addf(list, "%s", lua_tostring(L, -1));
		return;
	}
	if (!lua_istable(L, -1))
		die("%s: %s of %s must be a list of strings", it->where, what, it->name);
	for (lua_Integer i = 1, n = (lua_Integer)lua_rawlen(L, -1); i <= n; i++) {
		lua_rawgeti(L, -1, i);
		read_list(L, it, what, list);
		lua_pop(L, 1);
	}
}

static int compare_pairs(const void *a, const void *b)
{
	return strcmp(((const struct pair *)a)->key, ((const struct pair *)b)->key);
}

static void read_map(lua_State *L, const struct item *it, const char *what, struct pairs *map)
{
	size_t room = 0;

	if (!lua_istable(L, -1))
		die("%s: %s of %s must be a table: { name = value }", it->where, what, it->name);
	for (lua_pushnil(L); lua_next(L, -2); lua_pop(L, 1))
		room++;
	map->v = alloc(room * sizeof(*map->v));
	for (lua_pushnil(L); lua_next(L, -2); lua_pop(L, 1)) {
		if (lua_type(L, -2) != LUA_TSTRING || !lua_isstring(L, -1))
			die("%s: %s of %s must map names to strings or numbers", it->where, what,
			    it->name);
		map->v[map->n++] = (struct pair){strf("%s", lua_tostring(L, -2)),
						 strf("%s", lua_tostring(L, -1))};
	}
	qsort(map->v, map->n, sizeof(*map->v), compare_pairs);
}

/* An error for a file that is not there, with the nearest one that is. */
static void check_source(const struct item *it, const char *path)
{
	struct strv near = {0};
	const char *slash = strrchr(path, '/');
	DIR *d;

	if (file_exists(path))
		return;
	d = opendir(slash ? strf("%.*s", (int)(slash - path), path) : ".");
	for (struct dirent *e; d && (e = readdir(d));)
		strv_addf(&near, "%s", e->d_name);
	die("%s: %s \"%s\": there is no file %s%s", it->where, kind_names[it->kind], it->name, path,
	    suggest(slash ? slash + 1 : path, &near));
}

static void read_sources(lua_State *L, const struct item *it, struct strv *sources)
{
	struct strv names = {0};

	read_list(L, it, "sources", &names);
	for (size_t i = 0; i < names.n; i++) {
		char *path = hakefile_path(it->dir, names.v[i]);

		check_source(it, path);
		strv_add(sources, path);
	}
}

/* The value on top of the stack becomes @f of @it. */
static void read_field(lua_State *L, struct item *it, const struct field *f)
{
	void *at = (char *)it + f->offset;
	int type = lua_type(L, -1);

	switch (f->type) {
	case STRING:
	case FILENAME:
		if (type != LUA_TSTRING)
			die("%s: %s of %s must be a string", it->where, f->key, it->name);
		*(const char **)at = strf("%s", lua_tostring(L, -1));
		if (f->type == FILENAME && lua_tostring(L, -1)[0] == '@')
			*(const char **)at = hakefile_path(it->dir, lua_tostring(L, -1));
		if (f->type == FILENAME)
			check_source(it, *(const char **)at);
		break;
	case BOOLEAN:
		if (type != LUA_TBOOLEAN)
			die("%s: %s of %s must be true or false", it->where, f->key, it->name);
		*(bool *)at = lua_toboolean(L, -1);
		break;
	case INTEGER:
		if (!lua_isinteger(L, -1))
			die("%s: %s of %s must be a whole number", it->where, f->key, it->name);
		*(int *)at = (int)lua_tointeger(L, -1);
		break;
	case LIST:
		read_list(L, it, f->key, at);
		break;
	case SOURCES:
		read_sources(L, it, at);
		break;
	case MAP:
		read_map(L, it, f->key, at);
		break;
	}
}

static const struct field *find_field(const struct item *it, const char *key)
{
	struct strv known = {0};

	for (size_t i = 0; i < ARRAY_SIZE(fields); i++) {
		if (!(fields[i].kinds & K(it->kind)))
			continue;
		if (strcmp(fields[i].key, key) == 0)
			return &fields[i];
		strv_add(&known, fields[i].key);
	}
	die("%s: a %s has no \"%s\"%s\n  it may have: %s", it->where, kind_names[it->kind], key,
	    suggest(key, &known), strv_join(&known, ", "));
}

static void set_defaults(struct item *it)
{
	it->target = it->host = true;
	it->timeout = it->kind == BENCHMARK ? 600 : 120;
	it->topology = "laptop";
	it->append = "";
	it->suite = it->kind == BOOT_TEST ? "boot" : it->kind == BENCHMARK ? it->name : "unit";
	if (it->kind == IMAGE || it->kind == TOPOLOGY)
		it->suite = NULL;
}

static void check_complete(const struct item *it)
{
	const char *kind = kind_names[it->kind];

	if ((K(it->kind) & LINKED) && !it->sources.n)
		die("%s: %s \"%s\" needs sources = { \"...\" } or glob \"*.c\"", it->where, kind,
		    it->name);
	if (it->kind == HOST_TEST && !it->command)
		die("%s: host_test \"%s\" needs command = \"...\"", it->where, it->name);
	if ((it->kind == KERNEL || it->kind == LOADER) && !it->ldscript)
		die("%s: %s \"%s\" needs ldscript = \"...\"", it->where, kind, it->name);
	if (it->kind == TOPOLOGY && !it->machine)
		die("%s: topology \"%s\" needs machine = \"...\"", it->where, it->name);
	if (it->firmware && strcmp(it->firmware, "iso-bios") && strcmp(it->firmware, "iso-uefi") &&
	    strcmp(it->firmware, "seabios"))
		die("%s: firmware of %s is \"%s\", but may be seabios, iso-bios or iso-uefi",
		    it->where, it->name, it->firmware);
}

/* $SKERRY_WITHOUT names items to leave out: what somebody is in the middle of writing. */
static bool is_left_out(const struct item *it)
{
	const char *without = getenv("SKERRY_WITHOUT");
	struct strv names = {0};

	strv_split(&names, without ? without : "");
	return strv_has(&names, it->name);
}

static void project_add(struct project *p, struct item *it)
{
	const struct item *old = it->kind == IMAGE ? NULL : project_find(p, it->kind, it->name);

	if (is_left_out(it))
		return;
	if (old)
		die("%s: there is a %s \"%s\" already, at %s", it->where, kind_names[it->kind],
		    it->name, old->where);
	p->v = realloc(p->v, (p->n + 1) * sizeof(struct item *));
	if (!p->v)
		die("out of memory");
	p->v[p->n++] = it;
}

/* The second half of a construct: library "ump" { ... } calls it with the table. */
static int construct_table(lua_State *L)
{
	struct item *it = alloc(sizeof(*it));

	it->kind = (enum kind)lua_tointeger(L, lua_upvalueindex(1));
	it->name = strf("%s", lua_tostring(L, lua_upvalueindex(2)));
	it->where = lua_tostring(L, lua_upvalueindex(3));
	it->where = strf("%s", it->where);
	it->dir = reading_dir;
	if (!lua_istable(L, 1))
		die("%s: expected %s \"%s\" { ... }", it->where, kind_names[it->kind], it->name);
	set_defaults(it);
	for (lua_pushnil(L); lua_next(L, 1); lua_pop(L, 1)) {
		if (lua_type(L, -2) != LUA_TSTRING)
			die("%s: %s \"%s\": expected name = value", it->where, kind_names[it->kind],
			    it->name);
		read_field(L, it, find_field(it, lua_tostring(L, -2)));
	}
	check_complete(it);
	project_add(reading, it);
	return 0;
}

/* The first half: library "ump" gives a function that takes the table. */
static int construct_name(lua_State *L)
{
	enum kind kind = (enum kind)lua_tointeger(L, lua_upvalueindex(1));

	lua_pushinteger(L, kind);
	if (lua_istable(L, 1) && kind == IMAGE) {
		lua_pushstring(L, "image");
		lua_pushstring(L, position(L, 1));
		lua_pushcclosure(L, construct_table, 3);
		lua_pushvalue(L, 1);
		lua_call(L, 1, 0);
		return 0;
	}
	if (lua_type(L, 1) != LUA_TSTRING)
		die("%s: expected %s \"name\" { ... }", position(L, 1), kind_names[kind]);
	lua_pushvalue(L, 1);
	lua_pushstring(L, position(L, 1));
	lua_pushcclosure(L, construct_table, 3);
	return 1;
}

/* glob("*.c", "but-not.c", ...): the files of the Hakefile's folder, sorted. */
static int construct_glob(lua_State *L)
{
	const char *pattern = luaL_checkstring(L, 1);
	size_t skip = strcmp(reading_dir, ".") == 0 ? 0 : strlen(reading_dir) + 1;
	struct strv without = {0};
	lua_Integer n = 0;
	glob_t g;

	for (int i = 2; i <= lua_gettop(L); i++)
		strv_addf(&without, "%s", luaL_checkstring(L, i));
	lua_newtable(L);
	/* Not an error: a folder may be about to get its files, and others build meanwhile. */
	if (glob(path_in(reading_dir, pattern), 0, NULL, &g)) {
		warn("%s: no file matches \"%s\"", position(L, 1), pattern);
		return 1;
	}
	for (size_t i = 0; i < g.gl_pathc; i++) {
		if (strv_has(&without, g.gl_pathv[i] + skip))
			continue;
		lua_pushstring(L, g.gl_pathv[i] + skip);
		lua_rawseti(L, -2, ++n);
	}
	return 1;
}

/* A name that a Hakefile uses and that nobody defined. */
static int unknown_name(lua_State *L)
{
	const char *name = lua_tostring(L, 2);
	struct strv known = {0};

	for (int i = 0; i < NKINDS; i++)
		strv_add(&known, kind_names[i]);
	strv_add(&known, "glob");
	die("%s: a Hakefile has no \"%s\"%s (see hake/README.md, Hakefiles)", position(L, 1), name,
	    suggest(name, &known));
}

static lua_State *new_lua(void)
{
	static const char *const unwanted[] = {"dofile", "loadfile", "load", "require", "print"};
	lua_State *L = luaL_newstate();

	if (!L)
		die("out of memory");
	luaL_requiref(L, "_G", luaopen_base, 1);
	luaL_requiref(L, "string", luaopen_string, 1);
	luaL_requiref(L, "table", luaopen_table, 1);
	lua_settop(L, 0);
	for (size_t i = 0; i < ARRAY_SIZE(unwanted); i++) {
		lua_pushnil(L);
		lua_setglobal(L, unwanted[i]);
	}
	for (int i = 0; i < NKINDS; i++) {
		lua_pushinteger(L, i);
		lua_pushcclosure(L, construct_name, 1);
		lua_setglobal(L, kind_names[i]);
	}
	lua_pushcfunction(L, construct_glob);
	lua_setglobal(L, "glob");
	lua_pushglobaltable(L);
	lua_newtable(L);
	lua_pushcfunction(L, unknown_name);
	lua_setfield(L, -2, "__index");
	lua_setmetatable(L, -2);
	lua_pop(L, 1);
	return L;
}

/* Runs one Hakefile; each has a Lua of its own, so that none can disturb another. */
static void read_hakefile(struct project *p, const char *dir, const char *path)
{
	lua_State *L = new_lua();
	struct buf text = {0};

	if (file_read(path, &text))
		die("cannot read %s", path);
	strv_add(&p->hakefiles, path);
	reading = p;
	reading_dir = dir;
	if (luaL_loadbuffer(L, text.v, text.n, strf("@%s", path)) || lua_pcall(L, 0, 0, 0))
		die("%s", lua_tostring(L, -1));
	lua_close(L);
}

/* Reads the Hakefile of @dir if there is one, then those below it, in the order of names. */
static void read_folder(struct project *p, const char *dir)
{
	struct strv below = {0};
	char *path = path_in(dir, "Hakefile");
	DIR *d = opendir(dir);

	if (!d)
		return;
	strv_add(&p->dirs, dir);
	if (file_exists(path))
		read_hakefile(p, dir, path);
	for (struct dirent *e; (e = readdir(d));) {
		char *child = path_in(dir, e->d_name);

		if (e->d_name[0] != '.' && is_dir(child))
			strv_add(&below, child);
	}
	closedir(d);
	strv_sort(&below);
	for (size_t i = 0; i < below.n; i++)
		read_folder(p, below.v[i]);
}

void project_load(struct project *p)
{
	if (file_exists("Hakefile"))
		read_hakefile(p, ".", "Hakefile");
	for (size_t i = 0; i < ARRAY_SIZE(top_dirs); i++)
		read_folder(p, top_dirs[i]);
}

struct item *project_find(const struct project *p, enum kind kind, const char *name)
{
	for (size_t i = 0; i < p->n; i++) {
		if (p->v[i]->kind == kind && strcmp(p->v[i]->name, name) == 0)
			return p->v[i];
	}
	return NULL;
}

struct strv project_names(const struct project *p, enum kind kind)
{
	struct strv names = {0};

	for (size_t i = 0; i < p->n; i++) {
		if (p->v[i]->kind == kind)
			strv_add(&names, p->v[i]->name);
	}
	return names;
}

struct item *topology_file_load(const char *path)
{
	struct project p = {0};

	read_hakefile(&p, ".", path);
	if (p.n != 1 || p.v[0]->kind != TOPOLOGY)
		die("%s: expected just one topology \"name\" { ... }", path);
	return p.v[0];
}
