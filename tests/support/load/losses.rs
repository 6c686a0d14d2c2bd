//! What nodes have forgotten of what they told a client.

use http::StatusCode;

use super::{Life, Lost, client::Client};
use crate::support::{RESOURCE_SERVER, Remote, redemption};

impl Life {
    /// What is not as this says, at any of the nodes.
    pub(super) async fn losses(&self, client: &Client, nodes: &[Remote]) -> Lost {
        let mut lost = Lost::new();
        for tokens in self.issued.iter().filter(|_| self.ended.is_some()) {
            let revoked = self.ended == Some(true) || self.revoked.contains(&tokens.access);
            for node in nodes {
                let active = node.introspect(RESOURCE_SERVER, &tokens.access).await.member("active") == true;
                if active == revoked {
                    let what = if revoked { "a revocation" } else { "a token" };
                    lost.push(format!("{what} is lost at {}: {} of {self:?}", node.url, tokens.access));
                }
            }
        }
        if self.issued.last().is_some_and(|newest| newest.refresh.is_some()) {
            lost.extend(self.lost_rotation(client).await);
        }
        if let Some(code) = &self.code {
            let answer = client.node().token(self.caller, &redemption(code)).await;
            if answer.status != StatusCode::BAD_REQUEST {
                lost.push(format!("a redemption is lost: {answer}, {self:?}"));
            }
        }
        lost
    }

    async fn lost_rotation(&self, client: &Client) -> Option<String> {
        let present = async |back| client.node().refresh(self.caller, self.refresh_token(back)).await;
        if self.ended != Some(false) {
            let answer = present(0).await;
            let lost = self.ended.is_some() && answer.status != StatusCode::BAD_REQUEST;
            return lost.then(|| format!("the end of a grant is lost: {answer}, {self:?}"));
        }
        if self.issued.len() > 1 {
            // The one before has been replaced, and by this very token.
            let again = present(1).await;
            if again.status != StatusCode::OK || again.tokens().refresh != self.newest().refresh {
                return Some(format!("a rotation is lost: {again}, {self:?}"));
            }
        }
        let answer = present(0).await;
        (answer.status != StatusCode::OK).then(|| format!("somebody is logged out: {answer}, {self:?}"))
    }
}
