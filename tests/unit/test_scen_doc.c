/* The YAML reader: what it reads, every bound it keeps, and the exact words of its errors. */
#include "scen_doc.h"

#include <criterion/criterion.h>
#include <glib/gstdio.h>
#include <stdio.h>
#include <string.h>

typedef struct Read {
    ScenPool *pool;
    ScenErrors *errors;
    const ScenNode *root;
    char *message; /* NULL: no errors */
} Read;

static void finish(Read *read)
{
    GError *error = NULL;
    if (scen_errors_report(read->errors, &error))
        return;
    read->message = g_strdup(error->message);
    g_error_free(error);
}

static Read parse(const char *text)
{
    Read read = {.pool = scen_pool_new(), .errors = scen_errors_new()};
    read.root =
        scen_doc_parse(read.pool, "a.yaml", SCEN_ORIGIN_DOCUMENT, text, strlen(text), read.errors);
    finish(&read);
    return read;
}

static Read read_file(const char *path)
{
    Read read = {.pool = scen_pool_new(), .errors = scen_errors_new()};
    read.root = scen_doc_read(read.pool, path, SCEN_ORIGIN_DOCUMENT, read.errors);
    finish(&read);
    return read;
}

static void clear(Read *read)
{
    scen_pool_free(read->pool);
    scen_errors_free(read->errors);
    g_free(read->message);
}

Test(scen_doc, scalars_keep_their_text_and_marks)
{
    Read read = parse("# a comment\na: 1\nb:\n  c: 'x y'\n  d: [1, two]\n");
    cr_assert_null(read.message, "%s", read.message);
    const ScenNode *b = scen_node_get(read.root, "b");
    const ScenNode *c = scen_node_get(b, "c");
    const ScenNode *d = scen_node_get(b, "d");
    cr_expect_str_eq(scen_node_get(read.root, "a")->text, "1");
    cr_expect_str_eq(c->text, "x y");
    cr_expect(c->quoted);
    cr_expect_eq(c->mark.line, 4);
    cr_expect_eq(c->mark.column, 6);
    cr_expect_eq(scen_node_item(b, "d")->key_mark.line, 5);
    cr_expect_eq(d->kind, SCEN_NODE_LIST);
    cr_expect_eq(d->items->len, 2);
    cr_expect_eq(read.root->size, 7);
    cr_expect_eq(read.root->height, 3);
    clear(&read);
}

Test(scen_doc, aliases_share_the_anchored_node)
{
    Read read = parse("a: &x {k: 1}\nb: *x\nc: [*x, *x]\n");
    cr_assert_null(read.message, "%s", read.message);
    cr_expect_eq(scen_node_get(read.root, "a"), scen_node_get(read.root, "b"));
    cr_expect_eq(read.root->size, 10);
    clear(&read);
}

static const struct {
    const char *text;
    const char *want;
} wrong[] = {
    {"",                             "a.yaml: the document is empty"                                      },
    {"# only a comment\n",           "a.yaml: the document is empty"                                      },
    {"a: 1\nb: 2\na: 3\n",           "a.yaml:3:1: duplicate key 'a', first at line 1, column 1"           },
    {"a: 1\n---\nb: 2\n",            "a.yaml:2:1: a second document starts here, a file holds one"        },
    {"a: *x\n",                      "a.yaml:1:4: alias 'x' has no anchor before it"                      },
    {"a: &x [1, *x]\n",              "a.yaml:1:11: alias 'x' stands inside its own anchor"                },
    {"a: &x {b: 1}\nc:\n  <<: *x\n",
     "a.yaml:3:3: merge keys (<<) are not supported: use 'base: NAME', or repeat the keys"                },
    {"[a]: 1\n",                     "a.yaml:1:1: a key must be a word, not a list or map"                },
    {"{a: 1}: 1\n",                  "a.yaml:1:1: a key must be a word, not a list or map"                },
    {"a: !!int 3\n",                 "a.yaml:1:4: the tag 'tag:yaml.org,2002:int': tags are not supported"},
    {"a: \"x\\0y\"\n",               "a.yaml:1:4: a NUL character inside a text"                          },
    {"a: [1, 2\n",                   "a.yaml:2:1: did not find expected ',' or ']' while parsing a flow sequence "
                   "(from line 1)"                                                      },
    {"a: 1\n\tb: 2\n",               "a.yaml:2:1: found a tab character that violates indentation while scanning "
                       "a plain scalar (from line 1)"                               },
};

Test(scen_doc, errors_have_a_place_and_plain_words)
{
    for (size_t i = 0; i < G_N_ELEMENTS(wrong); i++) {
        Read read = parse(wrong[i].text);
        cr_assert_not_null(read.message, "%s passed", wrong[i].text);
        cr_expect_str_eq(read.message, wrong[i].want, "%s\n", read.message);
        clear(&read);
    }
}

Test(scen_doc, all_duplicates_are_reported_in_order)
{
    Read read = parse("a: 1\na: 2\nb: {c: 1, c: 2}\na: 3\n");
    cr_expect_str_eq(read.message, "a.yaml:2:1: duplicate key 'a', first at line 1, column 1\n"
                                   "a.yaml:3:11: duplicate key 'c', first at line 3, column 5\n"
                                   "a.yaml:4:1: duplicate key 'a', first at line 1, column 1");
    cr_expect_eq(read.root->items->len, 2);
    clear(&read);
}

Test(scen_doc, depth_is_bounded)
{
    const char *opens[] = {"[", "{a: "};
    for (size_t i = 0; i < G_N_ELEMENTS(opens); i++) {
        g_autoptr(GString) text = g_string_new("a: ");
        for (int n = 0; n < 10000; n++)
            g_string_append(text, opens[i]);
        Read read = parse(text->str);
        cr_assert_not_null(read.message);
        cr_expect(strstr(read.message, "nested deeper than 64 levels"), "%s", read.message);
        clear(&read);
    }
    g_autoptr(GString) block = g_string_new(NULL);
    for (int n = 0; n < 10000; n++)
        g_string_append(block, "- ");
    Read read = parse(block->str);
    cr_expect(strstr(read.message, "nested deeper than 64 levels"), "%s", read.message);
    clear(&read);
}

Test(scen_doc, depth_counts_what_aliases_expand_to)
{
    g_autoptr(GString) text = g_string_new("a0: &a0 [1]\n");
    for (int n = 1; n < 80; n++)
        g_string_append_printf(text, "a%d: &a%d [*a%d]\n", n, n, n - 1);
    Read read = parse(text->str);
    cr_assert_not_null(read.message);
    cr_expect_str_eq(read.message, "a.yaml:64:12: nested deeper than 64 levels");
    clear(&read);
}

Test(scen_doc, a_billion_laughs_are_an_error)
{
    g_autoptr(GString) text =
        g_string_new("a0: &a0 [lol, lol, lol, lol, lol, lol, lol, lol, lol]\n");
    for (int n = 1; n < 12; n++) {
        g_string_append_printf(text, "a%d: &a%d [", n, n);
        for (int k = 0; k < 9; k++)
            g_string_append_printf(text, "%s*a%d", k ? ", " : "", n - 1);
        g_string_append(text, "]\n");
    }
    Read read = parse(text->str);
    cr_assert_not_null(read.message);
    cr_expect(strstr(read.message, "more than 200000 values with all aliases expanded"), "%s",
              read.message);
    clear(&read);
}

Test(scen_doc, the_number_of_values_is_bounded)
{
    g_autoptr(GString) text = g_string_new(NULL);
    for (int n = 0; n < 200001; n++)
        g_string_append(text, "- 1\n");
    Read read = parse(text->str);
    cr_assert_not_null(read.message);
    cr_expect(strstr(read.message, "more than 200000 values"), "%s", read.message);
    clear(&read);
}

/** Fills @path with @length bytes of @byte. */
static void write_bytes(const char *path, char byte, size_t length)
{
    g_autofree char *bytes = g_strnfill(length, byte);
    cr_assert(g_file_set_contents(path, bytes, (gssize)length, NULL));
}

Test(scen_doc, unreadable_files_give_one_clear_error_each)
{
    g_autofree char *folder = g_dir_make_tmp("scen-doc-XXXXXX", NULL);
    g_autofree char *path = g_build_filename(folder, "x.yaml", NULL);
    static const char elf[] = "\177ELF\x02\x01\x01\0\xff\xfe\x80";
    static const char latin[] = "name: caf\xe9\n";
    const struct {
        const char *contents; /* NULL: none are written */
        size_t length;
        const char *want;
    } cases[] = {
        {NULL,            0,                "cannot be opened: No such file or directory"                    },
        {"",              0,                "the file is empty"                                              },
        {elf,             sizeof elf - 1,   "not a text file: byte 0x00 at offset 7 is not UTF-8 text"       },
        {latin,           sizeof latin - 1, "not a text file: byte 0xe9 at offset 9 is not UTF-8 text"       },
        {"\x7f: 1\n\x01", 6,                "not a text file: control characters are not allowed at offset 0"},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        if (cases[i].contents)
            cr_assert(g_file_set_contents(path, cases[i].contents, (gssize)cases[i].length, NULL));
        Read read = read_file(path);
        g_autofree char *want = g_strconcat(path, ": ", cases[i].want, NULL);
        cr_assert_null(read.root);
        cr_expect_str_eq(read.message, want);
        clear(&read);
    }
    write_bytes(path, 'a', 100u << 20);
    Read large = read_file(path);
    cr_expect(strstr(large.message, "larger than 4 MiB"), "%s", large.message);
    clear(&large);
    Read dir = read_file(folder);
    cr_expect(strstr(dir.message, "is a folder, not a file"), "%s", dir.message);
    clear(&dir);
    g_remove(path);
    g_rmdir(folder);
}

Test(scen_doc, endless_devices_are_refused)
{
    Read read = read_file("/dev/zero");
    cr_expect_str_eq(read.message, "/dev/zero: larger than 4 MiB, so hardly a document of ours");
    clear(&read);
}

Test(scen_doc, a_large_sound_file_is_read)
{
    g_autoptr(GString) text = g_string_new(NULL);
    for (int n = 0; n < 20000; n++)
        g_string_append_printf(text, "key%d: {a: 1, b: two}\n", n);
    Read read = parse(text->str);
    cr_assert_null(read.message, "%s", read.message);
    cr_expect_eq(read.root->items->len, 20000);
    clear(&read);
}
