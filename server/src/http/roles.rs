//! Who may do what, as the server itself decides it: no list beside the code can say something else.

use super::error::Problems;
use crate::access::{Need, Permission, Role, TABLE};
use axum::Json;
use serde::Serialize;
use utoipa::ToSchema;

/// Roles and permissions.
#[derive(Debug, Serialize, ToSchema)]
pub struct Roles {
    /// The roles, who may most first.
    roles: Vec<Role>,
    /// The permissions, each with who has it.
    permissions: Vec<PermissionOfRoles>,
}

/// A permission.
#[derive(Debug, Serialize, ToSchema)]
pub struct PermissionOfRoles {
    /// Which.
    permission: Permission,
    /// The roles that have it.
    roles: Vec<Role>,
    /// Whether no API key can have it.
    people_only: bool,
    /// What needs it: methods and paths of this interface.
    operations: Vec<String>,
}

/// What each role may, by the one table that every request is held against.
#[utoipa::path(get, path = "/api/v1/roles", operation_id = "listRoles", tag = "users",
    responses((status = 200, body = Roles), Problems))]
pub async fn list() -> Json<Roles> {
    let of = |permission: Permission| PermissionOfRoles {
        permission,
        roles: Role::ALL.into_iter().filter(|role| role.may(permission)).collect(),
        people_only: permission.is_for_people(),
        operations: TABLE
            .iter()
            .filter(|(.., need)| *need == Need::May(permission))
            .map(|(method, path, _)| format!("{method} {path}"))
            .collect(),
    };
    Json(Roles { roles: Role::ALL.to_vec(), permissions: Permission::ALL.into_iter().map(of).collect() })
}
