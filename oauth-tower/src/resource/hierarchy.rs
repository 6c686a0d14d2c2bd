//! Scope that includes other scope, where a rule says so and nowhere else
//! (OAuth 2.1 section 1.4.1).

use oauth_core::scope::Scope;

use super::ResourceServerBuilder;

/// Which scope tokens bring others along.
#[derive(Clone, Debug, Default)]
pub(super) struct Hierarchy(Vec<(Box<str>, Scope)>);

impl Hierarchy {
    fn add(&mut self, token: &str, implied: Scope) {
        self.0.push((token.into(), implied));
    }

    /// `scope` and all it brings along, or `None` where that is nothing more.
    pub(super) fn expand(&self, scope: &Scope) -> Option<Scope> {
        let mut whole: Option<Scope> = None;
        // Each round but the last adds the tokens of a rule at least.
        for _ in 0..=self.0.len() {
            let known = whole.as_ref().unwrap_or(scope);
            let added = |(token, implied): &&(Box<str>, Scope)| known.contains(token) && !implied.is_subset_of(known);
            let Some((_, implied)) = self.0.iter().find(added) else { break };
            whole = Some(known.union(implied));
        }
        whole
    }
}

impl<I> ResourceServerBuilder<I> {
    /// A token with the scope `token` may do what `implied` (one or more scope
    /// tokens, separated by spaces) permits as well. Rules chain: what is
    /// implied may imply more.
    ///
    /// Without such a rule, scope tokens are names and nothing else: `read` does
    /// not satisfy `read:all`, nor the other way round (OAuth 2.1 section 1.4.1).
    ///
    /// ```
    /// # #[cfg(feature = "client")]
    /// # fn main() -> Result<(), oauth_tower::resource::BuildError> {
    /// use oauth_tower::resource::{Issuer, ResourceServer};
    ///
    /// let api = ResourceServer::builder("https://api.example")
    ///     .issuer(Issuer::jwt("https://as.example"))
    ///     .scope_implies("admin", "albums:write")
    ///     .scope_implies("albums:write", "albums:read")
    ///     .build()?;
    /// # drop(api);
    /// # Ok(())
    /// # }
    /// # #[cfg(not(feature = "client"))]
    /// # fn main() {}
    /// ```
    ///
    /// # Panics
    /// If either is not a scope, or `token` is more than one: they are part of
    /// the program, not of a request.
    pub fn scope_implies(self, token: &str, implied: &str) -> Self {
        assert!(super::require::literal(token).len() == 1, "`{token}` is not one scope token");
        let implied = super::require::literal(implied);
        self.with(|settings| settings.hierarchy.add(token, implied))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn expanded(rules: &[(&str, &str)], scope: &str) -> Option<String> {
        let mut hierarchy = Hierarchy::default();
        for (token, implied) in rules {
            hierarchy.add(token, implied.parse().unwrap());
        }
        let expanded = hierarchy.expand(&scope.parse().unwrap())?;
        let mut tokens: Vec<_> = expanded.iter().collect();
        tokens.sort_unstable();
        Some(tokens.join(" "))
    }

    // spec: RS-20
    #[test]
    fn only_an_explicit_rule_makes_one_scope_token_stand_for_another() {
        let rules = [("write", "read"), ("admin", "write audit"), ("audit", "logs")];
        assert_eq!(expanded(&rules, "admin").unwrap(), "admin audit logs read write");
        assert_eq!(expanded(&rules, "write other").unwrap(), "other read write");
        for without in ["read", "Admin", "admin:all", "adm", "write:all"] {
            assert_eq!(expanded(&rules, without), None, "{without}");
        }
        assert_eq!(expanded(&[], "admin"), None);
    }

    #[test]
    fn rules_in_a_circle_end() {
        let rules = [("a", "b"), ("b", "c"), ("c", "a")];
        for start in ["a", "b", "c"] {
            assert_eq!(expanded(&rules, start).unwrap(), "a b c");
        }
    }
}
