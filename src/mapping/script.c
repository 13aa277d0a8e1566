/* SPDX-License-Identifier: Apache-2.0 */
/* The sandbox: a Lua state with its own allocator, a hook that counts, and no way out. */
#include "mapping/script.h"

#include <lauxlib.h>
#include <lua.h>
#include <lualib.h>
#include <stdio.h>
#include <string.h>

#include "mapping/inside.h"

#define STEPS_PER_HOOK 1000
#define TABLE_DEPTH_MAX 16
#define RESULT_BYTES_MAX EXPRESSION_TEXT_BYTES_MAX
#define LUA_NUMBER_BYTES 40

struct script_desk {
    lua_State *lua;
    size_t used_bytes;
    int64_t steps;
    bool starved; /* the limit of memory was met in this run */
    struct run *run;
    struct buffer json;
    int *functions; /* references by script */
    int globals;    /* reference of the metatable of every run's globals */
    int row;        /* reference of the row */
};

/* ---- memory and time ---- */

static void *allocate(void *context, void *piece, size_t old_size, size_t new_size)
{
    struct script_desk *desk = context;
    size_t held = piece != NULL ? old_size : 0;
    if (new_size == 0) {
        memory_free(piece);
        desk->used_bytes -= held;
        return NULL;
    }
    if (desk->used_bytes - held + new_size > SCRIPT_MEMORY_BYTES_MAX) {
        desk->starved = true;
        return NULL;
    }
    void *made = memory_resize(piece, new_size);
    if (made != NULL)
        desk->used_bytes += new_size - held;
    return made;
}

static struct script_desk *desk_of(lua_State *lua)
{
    return *(struct script_desk **)lua_getextraspace(lua);
}

static void count_steps(lua_State *lua, lua_Debug *record)
{
    struct script_desk *desk = desk_of(lua);
    (void)record;
    desk->steps += STEPS_PER_HOOK;
    if (desk->steps > SCRIPT_STEPS_MAX)
        luaL_error(lua, "the script runs too long (%d steps at most)", SCRIPT_STEPS_MAX);
}

/* ---- functions in the place of Lua's ---- */

/* What has an address tells its type alone. */
static int plain_tostring(lua_State *lua)
{
    switch (lua_type(lua, 1)) {
    case LUA_TNONE:
        return luaL_argerror(lua, 1, "value expected");
    case LUA_TNIL:
    case LUA_TBOOLEAN:
    case LUA_TNUMBER:
    case LUA_TSTRING:
        luaL_tolstring(lua, 1, NULL);
        return 1;
    default:
        lua_pushstring(lua, luaL_typename(lua, 1));
        return 1;
    }
}

static int limited_rep(lua_State *lua)
{
    size_t size, between = 0;
    const char *text = luaL_checklstring(lua, 1, &size);
    lua_Integer times = luaL_checkinteger(lua, 2);
    (void)text;
    (void)luaL_optlstring(lua, 3, "", &between);
    if (times > 0 &&
        (times > SCRIPT_REP_BYTES_MAX || (size + between) * (size_t)times > SCRIPT_REP_BYTES_MAX))
        return luaL_error(lua, "string.rep makes more than %d bytes", SCRIPT_REP_BYTES_MAX);
    lua_pushvalue(lua, lua_upvalueindex(1));
    lua_insert(lua, 1);
    lua_call(lua, lua_gettop(lua) - 1, 1);
    return 1;
}

static int plain_format(lua_State *lua)
{
    size_t size;
    const char *format = luaL_checklstring(lua, 1, &size);
    for (const char *at = format; (at = strchr(at, '%')) != NULL; at += *at != '\0') {
        at += 1 + strspn(at + 1, "-+ #0123456789.");
        if (*at == 'p')
            return luaL_error(lua, "string.format has no %%p here");
    }
    for (int i = 2; i <= lua_gettop(lua); i++)
        if (lua_type(lua, i) != LUA_TNUMBER && lua_type(lua, i) != LUA_TSTRING &&
            lua_type(lua, i) != LUA_TBOOLEAN && lua_type(lua, i) != LUA_TNIL)
            return luaL_argerror(lua, i, "text, number or boolean expected");
    lua_pushvalue(lua, lua_upvalueindex(1));
    lua_insert(lua, 1);
    lua_call(lua, lua_gettop(lua) - 1, 1);
    return 1;
}

/* A matcher of Lua's backtracks for each of its repetitions, wherever it begins. */
static bool pattern_is_bounded(const char *pattern, size_t pattern_size, size_t text_size)
{
    double steps = (double)text_size + 1;
    for (size_t i = 0; i < pattern_size && steps <= SCRIPT_PATTERN_STEPS_MAX; i++) {
        if (pattern[i] == '%' && i + 1 < pattern_size) {
            i++;
            if (pattern[i] == 'b' || pattern[i] == 'f')
                steps *= (double)text_size + 1;
        } else if (strchr("*+-?", pattern[i]) != NULL) {
            steps *= pattern[i] == '?' ? 2 : (double)text_size + 1;
        }
    }
    return steps <= SCRIPT_PATTERN_STEPS_MAX;
}

/* find, match, gmatch, gsub */
static int limited_pattern(lua_State *lua)
{
    size_t text_size, pattern_size;
    (void)luaL_checklstring(lua, 1, &text_size);
    const char *pattern = luaL_checklstring(lua, 2, &pattern_size);
    if (!pattern_is_bounded(pattern, pattern_size, text_size))
        return luaL_error(lua, "the pattern is too costly for a text of %d bytes",
                          (int)(text_size < 1000000 ? text_size : 1000000));
    lua_pushvalue(lua, lua_upvalueindex(1));
    lua_insert(lua, 1);
    lua_call(lua, lua_gettop(lua) - 1, LUA_MULTRET);
    return lua_gettop(lua);
}

static int refuse_change(lua_State *lua)
{
    return luaL_error(lua, "this table cannot be changed");
}

/* row[name]; an unknown name is a mistake, not nothing. */
static int row_index(lua_State *lua)
{
    struct script_desk *desk = desk_of(lua);
    size_t size;
    const char *name = luaL_checklstring(lua, 2, &size);
    uint32_t slot;
    str text;
    if (desk->run == NULL ||
        !mapping_slot_by_name(desk->run->worker->mapping, str_from_bytes(name, size), &slot))
        return luaL_error(lua, "the file has no column '%s'", name);
    desk->run->slot = slot;
    struct value value = value_of_cell(desk->run->worker, &desk->run->cells[slot]);
    if (value.kind == VALUE_NULL || !value_to_text(desk->run, value, &text))
        lua_pushnil(lua);
    else
        lua_pushlstring(lua, text.data, text.size);
    return 1;
}

/* Keys in order: Lua's own order changes from run to run. */
static const char sorted_pairs[] = "local next, sort, type = ...\n"
                                   "local function before(a, b)\n"
                                   "  local ta, tb = type(a), type(b)\n"
                                   "  if ta ~= tb then return ta < tb end\n"
                                   "  if ta == 'boolean' then return not a and b end\n"
                                   "  return a < b\n"
                                   "end\n"
                                   "return function(t)\n"
                                   "  local keys, n, i = {}, 0, 0\n"
                                   "  for k in next, t do n = n + 1; keys[n] = k end\n"
                                   "  sort(keys, before)\n"
                                   "  return function()\n"
                                   "    i = i + 1\n"
                                   "    local k = keys[i]\n"
                                   "    if k ~= nil then return k, t[k] end\n"
                                   "  end\n"
                                   "end\n";

/* ---- making the room ---- */

/* Copy `names` of the table at the top into a new one, which takes its place. */
static void keep_only(lua_State *lua, const char *const *names)
{
    lua_newtable(lua);
    for (; *names != NULL; names++) {
        lua_getfield(lua, -2, *names);
        lua_setfield(lua, -2, *names);
    }
    lua_remove(lua, -2);
}

/* Wrap the function `name` of the table at the top. */
static void wrap(lua_State *lua, const char *name, lua_CFunction wrapper)
{
    lua_getfield(lua, -1, name);
    lua_pushcclosure(lua, wrapper, 1);
    lua_setfield(lua, -2, name);
}

/* The table at the top becomes a face of itself that reads and does not write. */
static void close_table(lua_State *lua)
{
    lua_newtable(lua); /* face */
    lua_newtable(lua); /* its metatable */
    lua_pushvalue(lua, -3);
    lua_setfield(lua, -2, "__index");
    lua_pushcfunction(lua, refuse_change);
    lua_setfield(lua, -2, "__newindex");
    lua_pushboolean(lua, 0);
    lua_setfield(lua, -2, "__metatable");
    lua_setmetatable(lua, -2);
    lua_remove(lua, -2);
}

static void open_library(lua_State *lua, const char *name, lua_CFunction open,
                         const char *const *names)
{
    luaL_requiref(lua, name, open, 0);
    keep_only(lua, names);
}

static void open_string(lua_State *lua)
{
    static const char *const names[] = { "byte",    "char", "find",  "format", "gmatch",
                                         "gsub",    "len",  "lower", "match",  "rep",
                                         "reverse", "sub",  "upper", NULL };
    static const char *const matching[] = { "find", "match", "gmatch", "gsub" };
    open_library(lua, "string", luaopen_string, names);
    wrap(lua, "rep", limited_rep);
    wrap(lua, "format", plain_format);
    for (size_t i = 0; i < sizeof matching / sizeof matching[0]; i++)
        wrap(lua, matching[i], limited_pattern);
    /* text:rep() is found by the metatable of texts. */
    lua_pushliteral(lua, "");
    (void)lua_getmetatable(lua, -1);
    lua_pushvalue(lua, -3);
    lua_setfield(lua, -2, "__index");
    lua_pop(lua, 2);
}

/* The base library's harmless part; leaves it at the top. */
static void open_base(lua_State *lua)
{
    static const char *const names[] = { "assert", "error",    "ipairs", "next",
                                         "select", "tonumber", "type",   NULL };
    open_library(lua, "_G", luaopen_base, names);
    lua_pushcfunction(lua, plain_tostring);
    lua_setfield(lua, -2, "tostring");
}

/* `base` and `table` are under the top; the function stays there. */
static void make_pairs(lua_State *lua, int base, int table)
{
    if (luaL_loadbufferx(lua, sorted_pairs, sizeof sorted_pairs - 1, "=pairs", "t") != LUA_OK)
        lua_error(lua);
    lua_getfield(lua, base, "next");
    lua_getfield(lua, table, "sort");
    lua_getfield(lua, base, "type");
    lua_call(lua, 3, 1);
    lua_setfield(lua, base, "pairs");
    lua_pushnil(lua);
    lua_setfield(lua, base, "next");
}

static void make_row(lua_State *lua, struct script_desk *desk)
{
    lua_newtable(lua);
    lua_newtable(lua);
    lua_pushcfunction(lua, row_index);
    lua_setfield(lua, -2, "__index");
    lua_pushcfunction(lua, refuse_change);
    lua_setfield(lua, -2, "__newindex");
    lua_pushboolean(lua, 0);
    lua_setfield(lua, -2, "__metatable");
    lua_setmetatable(lua, -2);
    desk->row = luaL_ref(lua, LUA_REGISTRYINDEX);
}

/* Runs protected: memory may end anywhere. */
static int make_room(lua_State *lua)
{
    static const char *const table_names[] = { "concat", "insert", "pack", "remove",
                                               "sort",   "unpack", NULL };
    static const char *const math_names[] = { "abs",  "ceil",       "floor", "fmod",       "huge",
                                              "max",  "maxinteger", "min",   "mininteger", "modf",
                                              "sqrt", "tointeger",  "type",  "ult",        NULL };
    static const char *const utf8_names[] = { "char", "charpattern", "codepoint", "codes",
                                              "len",  "offset",      NULL };
    struct script_desk *desk = desk_of(lua);
    open_base(lua);
    int base = lua_gettop(lua);
    open_library(lua, "table", luaopen_table, table_names);
    make_pairs(lua, base, lua_gettop(lua));
    close_table(lua);
    lua_setfield(lua, base, "table");
    open_string(lua);
    close_table(lua);
    lua_setfield(lua, base, "string");
    open_library(lua, "math", luaopen_math, math_names);
    close_table(lua);
    lua_setfield(lua, base, "math");
    open_library(lua, "utf8", luaopen_utf8, utf8_names);
    close_table(lua);
    lua_setfield(lua, base, "utf8");
    make_row(lua, desk);
    lua_rawgeti(lua, LUA_REGISTRYINDEX, desk->row);
    lua_setfield(lua, base, "row");
    /* The globals of a run are empty and look here. */
    lua_newtable(lua);
    lua_pushvalue(lua, base);
    lua_setfield(lua, -2, "__index");
    lua_pushboolean(lua, 0);
    lua_setfield(lua, -2, "__metatable");
    desk->globals = luaL_ref(lua, LUA_REGISTRYINDEX);
    return 0;
}

/* ---- compiling ---- */

static str error_text(lua_State *lua)
{
    size_t size = 0;
    const char *text = lua_type(lua, -1) == LUA_TSTRING ? lua_tolstring(lua, -1, &size) : NULL;
    str message = text != NULL ? str_from_bytes(text, size) : STR("an error without a text");
    message.size = str_utf8_prefix_bytes(message, 200);
    return str_is_utf8(message) ? message : STR("an error whose text is no UTF-8");
}

/* Protected; the script is the argument. Text alone: compiled chunks can do anything. */
static int compile(lua_State *lua)
{
    struct script_desk *desk = desk_of(lua);
    const struct script *script = lua_touserdata(lua, 1);
    char name[80];
    snprintf(name, sizeof name, "=" STR_FMT, (int)str_utf8_prefix_bytes(script->name, 60),
             script->name.data);
    if (luaL_loadbufferx(lua, script->source.data, script->source.size, name, "t") != LUA_OK)
        return lua_error(lua);
    desk->functions[script->index] = luaL_ref(lua, LUA_REGISTRYINDEX);
    return 0;
}

static err compile_script(struct script_desk *desk, const struct script *script,
                          struct problem *problem)
{
    lua_settop(desk->lua, 0);
    lua_pushcfunction(desk->lua, compile);
    lua_pushlightuserdata(desk->lua, (void *)(uintptr_t)script);
    int status = lua_pcall(desk->lua, 1, 0, 0);
    if (status == LUA_OK)
        return ERR_OK;
    if (status == LUA_ERRMEM)
        return problem_set(problem, ERR_NOMEM, "no memory for scripts");
    return problem_set(problem, ERR_UNPROCESSABLE, "the script does not compile: " STR_FMT,
                       STR_ARG(error_text(desk->lua)));
}

err script_desk_new(struct script_desk **desk, const struct script *const *scripts, size_t count,
                    struct problem *problem)
{
    struct script_desk *made = memory_alloc(sizeof *made);
    err error = made != NULL ? ERR_OK : ERR_NOMEM;
    if (error == ERR_OK) {
        buffer_init(&made->json, RESULT_BYTES_MAX);
        made->functions = memory_alloc((count + 1) * sizeof *made->functions);
        made->lua = made->functions != NULL ? lua_newstate(allocate, made) : NULL;
    }
    if (error == ERR_OK && made->lua != NULL) {
        *(struct script_desk **)lua_getextraspace(made->lua) = made;
        lua_pushcfunction(made->lua, make_room);
        if (lua_pcall(made->lua, 0, 0, 0) != LUA_OK)
            error = ERR_NOMEM;
    } else {
        error = ERR_NOMEM;
    }
    if (error != ERR_OK)
        problem_set(problem, error, "no memory for scripts");
    for (size_t i = 0; error == ERR_OK && i < count; i++)
        error = compile_script(made, scripts[i], problem);
    if (error != ERR_OK) {
        script_desk_free(&made);
        return error;
    }
    *desk = made;
    return ERR_OK;
}

void script_desk_free(struct script_desk **desk)
{
    struct script_desk *freed = *desk;
    *desk = NULL;
    if (freed == NULL)
        return;
    if (freed->lua != NULL) {
        lua_sethook(freed->lua, NULL, 0, 0);
        lua_close(freed->lua);
    }
    buffer_deinit(&freed->json);
    memory_free(freed->functions);
    memory_free(freed);
}

/* ---- results ---- */

static void write_result(lua_State *lua, struct buffer *out, int depth);

/* A float as its shortest decimal, as JSON's numbers are read. */
static size_t write_float(double number, char out[LUA_NUMBER_BYTES])
{
    double back;
    int size = 0;
    for (int digits = 15; digits <= 17; digits++) {
        size = snprintf(out, LUA_NUMBER_BYTES, "%.*g", digits, number);
        if (str_to_double(str_from_bytes(out, (size_t)size), &back) && back == number)
            break;
    }
    return (size_t)size;
}

static bool is_finite_number(double number)
{
    return number - number == 0;
}

static int write_number(lua_State *lua, struct buffer *out)
{
    char room[LUA_NUMBER_BYTES];
    if (lua_isinteger(lua, -1)) {
        json_write_int(out, lua_tointeger(lua, -1));
        return 0;
    }
    double number = lua_tonumber(lua, -1);
    if (!is_finite_number(number))
        return luaL_error(lua, "the result has a number that is none");
    buffer_append(out, room, write_float(number, room));
    return 0;
}

static void write_text(lua_State *lua, struct buffer *out)
{
    size_t size;
    const char *bytes = lua_tolstring(lua, -1, &size);
    if (!str_is_utf8(str_from_bytes(bytes, size)))
        luaL_error(lua, "the result has a text that is no UTF-8");
    json_write_text(out, str_from_bytes(bytes, size));
}

/* A list if it has a first element, else an object, its members in order. */
static void write_table(lua_State *lua, struct buffer *out, int depth)
{
    if (depth > TABLE_DEPTH_MAX)
        luaL_error(lua, "the result has more than %d levels", TABLE_DEPTH_MAX);
    luaL_checkstack(lua, 8, "the result is too deep");
    lua_Integer count = (lua_Integer)lua_rawlen(lua, -1);
    if (count > 0) {
        buffer_append_byte(out, '[');
        for (lua_Integer i = 1; i <= count && !out->failed; i++) {
            if (i > 1)
                buffer_append_byte(out, ',');
            lua_rawgeti(lua, -1, i);
            write_result(lua, out, depth + 1);
            lua_pop(lua, 1);
        }
        buffer_append_byte(out, ']');
        return;
    }
    lua_rawgeti(lua, LUA_REGISTRYINDEX, desk_of(lua)->globals);
    lua_getfield(lua, -1, "__index");
    lua_getfield(lua, -1, "pairs");
    lua_pushvalue(lua, -4);
    lua_call(lua, 1, 1); /* the iterator, above two tables */
    bool first = true;
    buffer_append_byte(out, '{');
    while (!out->failed) {
        lua_pushvalue(lua, -1);
        lua_call(lua, 0, 2);
        if (lua_isnil(lua, -2)) {
            lua_pop(lua, 2);
            break;
        }
        if (lua_type(lua, -2) != LUA_TSTRING)
            luaL_error(lua, "the result has a key that is no text");
        if (!first)
            buffer_append_byte(out, ',');
        first = false;
        lua_pushvalue(lua, -2);
        write_text(lua, out);
        lua_pop(lua, 1);
        buffer_append_byte(out, ':');
        write_result(lua, out, depth + 1);
        lua_pop(lua, 2);
    }
    lua_pop(lua, 3);
    buffer_append_byte(out, '}');
}

static void write_result(lua_State *lua, struct buffer *out, int depth)
{
    switch (lua_type(lua, -1)) {
    case LUA_TNIL:
        buffer_append_str(out, STR("null"));
        break;
    case LUA_TBOOLEAN:
        buffer_append_str(out, lua_toboolean(lua, -1) ? STR("true") : STR("false"));
        break;
    case LUA_TNUMBER:
        write_number(lua, out);
        break;
    case LUA_TSTRING:
        write_text(lua, out);
        break;
    case LUA_TTABLE:
        write_table(lua, out, depth);
        break;
    default:
        luaL_error(lua, "the result is a %s", luaL_typename(lua, -1));
    }
}

/* ---- running ---- */

/* Protected. The function's reference is the argument; leaves the JSON of its result in desk->json. */
static int call(lua_State *lua)
{
    struct script_desk *desk = desk_of(lua);
    lua_rawgeti(lua, LUA_REGISTRYINDEX, (lua_Integer)lua_tointeger(lua, 1));
    lua_newtable(lua);
    lua_rawgeti(lua, LUA_REGISTRYINDEX, desk->globals);
    lua_setmetatable(lua, -2);
    if (lua_setupvalue(lua, -2, 1) == NULL)
        lua_pop(lua, 1); /* a chunk that names nothing has no globals */
    lua_call(lua, 0, 1);
    write_result(lua, &desk->json, 0);
    if (desk->json.failed)
        return luaL_error(lua, "the result is too large");
    return 1;
}

static struct value take_result(struct run *run, struct script_desk *desk)
{
    lua_State *lua = desk->lua;
    str text = buffer_str(&desk->json);
    struct exact number;
    size_t size;
    const char *bytes;
    switch (lua_type(lua, -1)) {
    case LUA_TBOOLEAN:
        return value_bool(lua_toboolean(lua, -1));
    case LUA_TNUMBER:
        if (exact_parse(text, true, &number))
            return value_number(number);
        refusal_set(&run->refusal, REFUSAL_SCRIPT, "the script's number does not fit");
        run->refused = true;
        return value_null();
    case LUA_TSTRING:
        bytes = lua_tolstring(lua, -1, &size);
        text = str_from_bytes(bytes, size);
        break;
    case LUA_TNIL:
        return value_null();
    default:
        break;
    }
    bool is_table = lua_type(lua, -1) == LUA_TTABLE;
    if (arena_dup(run->arena, text, &text) != ERR_OK) {
        refusal_nomem(&run->refusal);
        run->refused = true;
        return value_null();
    }
    return is_table ? (struct value){ .kind = VALUE_JSON, .text = text } : value_text(text);
}

struct value script_run(struct run *run, const struct script *script)
{
    struct script_desk *desk = run->worker->scripts;
    lua_State *lua = desk->lua;
    struct value value = value_null();
    desk->run = run;
    desk->steps = 0;
    desk->starved = false;
    buffer_clear(&desk->json);
    lua_sethook(lua, count_steps, LUA_MASKCOUNT, STEPS_PER_HOOK); /* counts from nothing again */
    /* Two slots that every state has: these pushes take no memory. */
    lua_settop(lua, 0);
    lua_pushcfunction(lua, call);
    lua_pushinteger(lua, desk->functions[script->index]);
    int status = lua_pcall(lua, 1, 1, 0);
    if (status == LUA_OK) {
        value = take_result(run, desk);
    } else {
        if ((status == LUA_ERRMEM && !desk->starved) || desk->json.nomem)
            refusal_nomem(&run->refusal);
        else if (desk->starved)
            refusal_set(&run->refusal, REFUSAL_SCRIPT, "script '" STR_FMT "' takes too much memory",
                        STR_ARG(script->name));
        else
            refusal_set(&run->refusal, REFUSAL_SCRIPT, "script " STR_FMT, STR_ARG(error_text(lua)));
        run->refused = true;
    }
    lua_settop(lua, 0);
    if (desk->starved)
        lua_gc(lua, LUA_GCCOLLECT);
    desk->run = NULL;
    return value;
}
