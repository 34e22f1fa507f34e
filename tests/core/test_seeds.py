from gnomon.core.seeds import Seeds


def test_children_differ_by_name_number_and_root() -> None:
    streams = [
        Seeds(0),
        Seeds(1),
        Seeds(0).child("a"),
        Seeds(0).child("a", 1),
        Seeds(0).child("a", 2),
        Seeds(0).child("a1"),
        Seeds(0).child("a", "1"),
    ]
    assert len({s.integer() for s in streams}) == len(streams)


def test_a_stream_starts_again_at_the_same_place() -> None:
    seeds = Seeds(5).child("x")
    assert seeds.generator().random() == seeds.generator().random()
