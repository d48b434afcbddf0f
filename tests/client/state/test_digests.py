"""Digests, which name accounts and submissions."""

from siliconflow_batch.state.digests import account_digest, digest


class TestDigests:
    def test_spellings_of_a_base_url_are_one_account(self) -> None:
        """A trailing slash, upper case and a default port make no difference."""
        spellings = ["https://a.invalid/v1", "https://A.invalid/v1/", "https://a.invalid:443/v1"]
        others = ["https://a.invalid/v2", "https://b.invalid/v1", "http://a.invalid/v1"]

        one = {account_digest(url, "sk") for url in spellings}
        all_of_them = {account_digest(url, key) for url in others for key in ("sk", "sk-2")} | one

        assert len(one) == 1
        assert len(all_of_them) == 7

    def test_a_digest_keeps_its_parts_apart(self) -> None:
        """Where one part ends and the next begins matters, and so does an empty one."""
        sequences = [("ab", "c"), ("a", "bc"), ("abc",), ("abc", ""), ("", "abc"), ("ab\0c",), ()]

        assert len({digest(*parts) for parts in sequences}) == len(sequences)
        assert digest("\ud800") != digest("?")
