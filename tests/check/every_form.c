/* Every form of a function's text that is read as claims. */
#define ON 0
#define MY_LABEL 7
struct part { int a, b; const char *name; };
int first(int a) { return a; }
int second(int a) { return a; }
int third(int a) { return a; }
static int every_form(struct part *p, int n, const char *text)
{
	struct part mine = {
		.a = 3,
		.b = n,
	};
	static const int sizes[][2] = { { 0, 1 },
		{ 2, 3 }, };
	int i = 0;

	/* if (n) first(0) is what
	 * a comment says, and no claim: {
	 */
	if (!p)
		return -1;
	do {
		i += second(i);
	} while (i < n);
	if (n == 3) {
		first(1);
	} else if (n < 2) {
		first(2);
	} else {
		first(3);
	}
	if (ON)
		third(1);
	else
		third(2);
	for (i = 0; i < n; i++)
	{
		if (i == 5)
			goto drop;
		second(sizes[i][0]);
	}
#ifdef NOT_HERE
	if (n) {
		third(99);
	}
#endif
	switch (i) {
	case 8:
		if (n == 9)
			first(80);
		else
			second(80);
		break;
#ifdef NOT_HERE
	case 9:
		n = third(7);
#endif
	}
	if (n == 10) {
		first(10);
	} else if (n == 11) {
		first(11);
	} else
		second(11);
	i = (*p).a + (*p).b - 1;
	n =
		first(n) +
		second(n);
	i = n
	    * 2;
	p->a = p->b = first(mine.a);
	switch (n) {
	case 1: case 'x':
		first(4); second(4);
		break;
	case MY_LABEL: i = second(5);
		third(5);
		break;
	default:
		third(6);
	}
	first(*text == '/' ? 1 : sizeof("//"));
	if (p->a && p->b ||
	    p->name) {
		third(7);
	}
#define OWN(x) do { \
		first(x); \
	} while (0)
	OWN(6);
#undef OWN
#ifdef NOT_HERE
	if (p->b) {
		first(70);
#else
	if (p->name) {
#endif
		second(7);
	}
	third(n);
	if (n == 4)
		goto out;
	return third(8);
out:	return second(8);
drop:
	second(9);
fail:	first(9);
	return 0; }
