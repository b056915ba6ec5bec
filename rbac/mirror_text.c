/*
 * mirror_text.c - an API server's JSON, made fit for a strict reader.
 *
 * Whoever may write one object chooses the names of fields in its
 * managedFields, and the API server hands on what it was given: NUL, and
 * octets that are no UTF-8.  A reader that refuses a list for that can be shut
 * out by everybody who may write one Role in one namespace.  Nothing decides
 * by managedFields, and they are most of the text, so they are cut out unread.
 */
#include "rbac/mirror_parts.h"

/* Where the string that begins at i ends. */
static size_t
string_end(struct slice s, size_t i)
{
	for (i++; i < s.n && s.p[i] != '"'; i++) {
		if (s.p[i] == '\\')
			i++;
	}
	return i < s.n ? i + 1 : s.n;
}

/* Where the list that begins at i ends. */
static size_t
list_end(struct slice s, size_t i)
{
	size_t depth = 0;

	while (i < s.n) {
		char c = s.p[i];

		if (c == '"') {
			i = string_end(s, i);
			continue;
		}
		i++;
		if (c == '[' || c == '{')
			depth++;
		else if ((c == ']' || c == '}') && --depth == 0)
			return i;
	}
	return s.n;
}

static size_t
skip_blanks(struct slice s, size_t i)
{
	while (i < s.n && strchr(" \t\r\n", s.p[i]) != NULL && s.p[i] != '\0')
		i++;
	return i;
}

/* Where the list begins that is the value of the name that ends at i; or 0. */
static size_t
list_after(struct slice s, size_t i)
{
	i = skip_blanks(s, i);
	if (i == s.n || s.p[i] != ':')
		return 0;
	i = skip_blanks(s, i + 1);
	return i < s.n && s.p[i] == '[' ? i : 0;
}

/* A label or an annotation of that name is a string, and stays. */
void
mirror_cut_managed(struct slice text, struct buf *out)
{
	size_t from = 0, i = 0;

	while ((i += slice_index(slice_from(text, i), '"')) < text.n) {
		size_t end = string_end(text, i), list;
		struct slice name = slice_make(text.p + i, end - i);

		i = end;
		if (!slice_eq(name, SLICE("\"managedFields\"")))
			continue;
		list = list_after(text, i);
		if (list == 0)
			continue;
		buf_put(out, slice_make(text.p + from, list - from));
		buf_puts(out, "[]");
		i = from = list_end(text, list);
	}
	buf_put(out, slice_from(text, from));
}
