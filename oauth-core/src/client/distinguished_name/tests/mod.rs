use proptest::prelude::*;

use super::*;

fn parse(text: &str) -> DistinguishedName {
    text.parse().unwrap_or_else(|error| panic!("{text}: {error}"))
}

fn refusal(text: &str) -> InvalidDistinguishedName {
    text.parse::<DistinguishedName>().unwrap_err()
}

/// RFC 4514 section 4.
#[test]
fn the_examples_of_rfc_4514_are_read() {
    assert_eq!(parse("UID=jsmith,DC=example,DC=net").parts.len(), 3);
    let several = parse("OU=Sales+CN=J.  Smith,DC=example,DC=net");
    assert_eq!(several.parts[2].len(), 2);
    assert_eq!(several, parse("CN=J. Smith+OU=Sales,DC=example,DC=net"));
    assert_eq!(parse(r#"CN=James \"Jim\" Smith\, III,DC=example,DC=net"#).parts.len(), 3);
    assert_eq!(parse(r"CN=Before\0dAfter,DC=example,DC=net").parts.len(), 3);
    let (encoded, text) = (parse("1.3.6.1.4.1.1466.0=#04024869"), parse("1.3.6.1.4.1.1466.0=Hi"));
    // An octet string is not the string of the same octets.
    assert_ne!(encoded, text);
    assert_eq!(parse(r"CN=Lu\C4\8Di\C4\87"), parse("CN=Lučić"));
}

#[test]
fn names_are_equal_whose_parts_are_however_they_are_written() {
    let name = parse("CN=App One,O=Example,C=US");
    for same in [
        "CN=App One, O=Example, C=US",
        "cn=app one,o=EXAMPLE,c=us",
        "2.5.4.3=App One,2.5.4.10=Example,2.5.4.6=US",
        "CN=App   One,O=Example,C=US",
        r"CN=\41pp\20One,O=Example,C=US",
        r"CN=\ App One\ ,O=Example,C=US",
        // PrintableString, UTF8String and BMPString.
        "CN=#1307417070204f6e65,O=Example,C=US",
        "CN=#0c07417070204f6e65,O=Example,C=US",
        "CN=#1e0e0041007000700020004f006e0065,O=Example,C=US",
    ] {
        assert_eq!(name, parse(same), "{same}");
    }
    for other in [
        "CN=App One,O=Example",
        "CN=App One,C=US,O=Example",
        "C=US,O=Example,CN=App One",
        "CN=App One,O=Example,C=US,C=US",
        "CN=AppOne,O=Example,C=US",
        "OU=App One,O=Example,C=US",
        "CN=App One+O=Example,C=US",
        r"CN=App One\,O=Example,C=US",
        r"CN=App One\2CO\3DExample,C=US",
        r"CN=App One\00,O=Example,C=US",
        "CN=#0407417070204f6e65,O=Example,C=US",
    ] {
        assert_ne!(name, parse(other), "{other}");
    }
    // Nobody knows whether case matters in this one.
    assert_ne!(parse("1.2.3.4=a"), parse("1.2.3.4=A"));
}

#[test]
fn what_is_not_a_name_is_refused() {
    use InvalidDistinguishedName::*;
    for text in [
        "CN",
        "=a",
        "CN=a,",
        ",CN=a",
        "CN=a,,O=b",
        "CN=a+",
        "CN= a",
        "CN=a ",
        "CN=a ,O=b",
        r"CN=a\",
        r"CN=a\4",
        r"CN=a\zz",
        r"CN=\ff",
        "CN=a;O=b",
        "CN=\"a\"",
        "CN=<a>",
        "CN=#",
        "CN=#0",
        "CN=#0c0141ff",
        "CN=#0c02",
        "CN=#zz",
        "2=a",
        "2..5=a",
        "2.05=a",
        "2.5.=a",
        "C N=a",
        "CN =a",
        "CN=a\0",
        "CN=a+CN=A",
    ] {
        assert_eq!(refusal(text), Malformed, "{text}");
    }
    assert_eq!((refusal(""), refusal(&"CN=a,".repeat(500))), (Length, Length));
    assert_eq!(refusal("shoeSize=42"), UnknownType);
}

#[test]
fn the_text_stays_as_it_was_written() {
    assert_eq!(parse("cn=App, o=Example").to_string(), "cn=App, o=Example");
}

proptest! {
    #[test]
    fn parsing_never_panics(text in "\\PC{0,60}", dn in "(CN|O|2\\.5\\.4\\.3)=[ -~]{0,20}(,|\\+)?[ -~]{0,20}") {
        drop(text.parse::<DistinguishedName>());
        drop(dn.parse::<DistinguishedName>());
    }

    #[test]
    fn values_in_der_never_panic(der in any::<Vec<u8>>()) {
        drop(AttributeValue::of_der("2.5.4.3", &der));
    }
}
